// Pictures for the documents.
import { give, stands } from "./page.mjs";

/** Makes them: a release that has run for a while, and the overview. */
export async function shots(browser, v, folder) {
  const { page } = v;
  await v.go("#/service/shop");
  await give(v, "Start", { reason: "release 2.4" });
  await stands(v, "Needs approval");
  await v.go("#/service/search");
  await page.waitForTimeout(60_000);
  for (const [hash, name, height] of [["#/service/search", "release", 1130], ["#/", "overview", 560]]) {
    for (const scheme of ["light", "dark"]) {
      await page.setViewportSize({ width: 1280, height });
      await page.emulateMedia({ colorScheme: scheme });
      await v.go(hash);
      await page.waitForTimeout(3000);
      await page.screenshot({ path: `${folder}/dashboard-${name}-${scheme}.png` });
    }
  }
}
