// Pictures for the documents.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { give, stands } from "./page.mjs";
import { small } from "./png.mjs";

const most = 150 * 1024;

/** Makes them: a release that has run for a while, and the overview. */
export async function shots(browser, v, folder) {
  const { page } = v, plain = await browser.newPage();
  await v.go("#/service/shop");
  await give(v, "Start", { reason: "release 2.4" });
  await stands(v, "Needs approval");
  await v.go("#/service/search");
  await page.waitForTimeout(75_000);
  for (const [hash, name, height] of [["#/service/search", "release", 1390], ["#/", "overview", 620]]) {
    for (const scheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme: scheme });
      await page.setViewportSize({ width: 1240, height });
      await v.go(hash);
      await page.reload();
      await page.mouse.move(0, 0);
      await page.waitForTimeout(3000);
      const picture = await small(plain, await page.screenshot());
      assert.ok(picture.length < most, `${name} ${scheme}: ${picture.length} bytes`);
      await writeFile(`${folder}/dashboard-${name}-${scheme}.png`, picture);
    }
  }
  await plain.close();
}
