// What somebody sees who has done nothing but what the README says at its top: a release that is rolled back, why, and its report.
import assert from "node:assert/strict";
import { env, launch, stands, visitor } from "./page.mjs";

const browser = await launch();
try {
  const v = await visitor(browser), { page } = v;
  v.context.setDefaultTimeout(120_000); // a good release comes first; the machine may be busy
  await v.go("");
  await page.locator(".services .row", { hasText: "shop" }).click();
  await stands(v, "Rolled back");
  await v.sees("v3 was taken back. Everybody is on v2.");
  await v.sees(/^errors: canary .* failed, stable .* evidence 1 in /);
  if (env("SHOTS")) await page.screenshot({ path: `${env("SHOTS")}/newcomer.png` });
  const link = page.getByRole("link", { name: /^Read the report of/ }).first();
  const [tab] = await Promise.all([v.context.waitForEvent("page"), link.click()]);
  await tab.getByText("v3 was rolled back to v2").first().waitFor();
  assert.deepEqual(v.complaints, []);
} finally {
  await browser.close();
}
