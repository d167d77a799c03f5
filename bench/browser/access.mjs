// What those need who do not see the page, or not well: names, roles, headings, landmarks, contrast, as axe-core tests them.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { until } from "./page.mjs";

// What has colours of its own comes first.
const coloured = ["#/", "#/service/shop", "#/service/payments"], pages = [...coloured, "#/service/team-000", "#/events", "#/history", "#/config"];

/** Every page, and a dialog, for who has logged in and who has not; what has colours in the dark, too. */
export async function access(v, guest) {
  const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  await guest.sees("Log in to see releases");
  await guest.page.evaluate(axe);
  await sound(guest, "before the login");
  await v.page.evaluate(axe);
  for (const [colorScheme, shown] of [["light", pages], ["dark", coloured]]) {
    await v.page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    for (const hash of shown) {
      await v.go(hash);
      await v.page.locator("h1").first().waitFor();
      if (hash === "#/") await v.page.getByLabel("Search services").fill("s"); // those with a rollout: hundreds of others say no more
      await until(`${hash} has come`, async () => (await v.page.getByText("Loading…").count()) === 0);
      await sound(v, `${hash} (${colorScheme})`);
    }
    await v.go("#/service/payments");
    await v.button("Retry").click();
    await sound(v, `a dialog (${colorScheme})`);
    await v.button("Cancel").click();
  }
  await v.page.emulateMedia({ colorScheme: "light", reducedMotion: null });
}

/** Nothing is wrong with the page as it is now. */
async function sound(v, where) {
  const wrong = await v.page.evaluate(async () => {
    const { violations } = await window.axe.run(document, { resultTypes: ["violations"] });
    return violations.map((r) => `${r.id}: ${r.help}: ${r.nodes.slice(0, 3).map((n) => n.html.slice(0, 200)).join(" ")}`);
  });
  assert.deepEqual(wrong, [], where);
}
