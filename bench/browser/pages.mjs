// The other pages, the keyboard, small windows, the dark, and a restart.
import assert from "node:assert/strict";
import { control, fits, give, login, stands, until, env } from "./page.mjs";

// With few requests the clock is held now and then.
const going = /^(Rolling out|Held)$/;

/** Every page and every control that the release did not need. */
export async function everythingElse(operator, viewer) {
  const { page } = operator;
  await operator.go("#/");
  await page.locator(".services .row").first().waitFor();
  const names = () => page.locator(".services .name b").allTextContents();
  // What needs somebody is on top, before what has been rolled back, before what runs.
  await until("what needs somebody is on top", async () => (await names()).slice(0, 3).join() === "cart,mail,payments");
  for (const [chip, sought] of [["Rolled back", "payments"], ["Rolling out", "search"], ["Needs attention", "mail"], ["Idle", "shop"], ["All", "team-000"]]) {
    await page.getByRole("button", { name: new RegExp(`^${chip} \\d+$`) }).click();
    await until(`${chip} has ${sought}`, async () => (await names()).includes(sought));
  }
  await page.getByLabel("Search services").fill("team-17 V1");
  await until("the search has found", async () => (await names()).join().startsWith("team-170,team-171"));
  await page.getByLabel("Search services").fill("no such service");
  await operator.sees("No service is like that.");
  await page.getByLabel("Search services").fill("");

  await page.getByRole("button", { name: /^Use the .* theme$/ }).click();
  await page.getByRole("button", { name: /^Use the .* theme$/ }).click();

  await operator.go("#/service/cart");
  for (const item of ["the dashboards are open", "support was told"]) await page.getByLabel(new RegExp(`^${item}`)).check();
  await page.locator(".step.now", { hasText: "50%" }).waitFor();
  await operator.go("#/service/team-000");
  await operator.sees("the configuration names no canary");

  for (const [hash, sought] of [["events", "Rolled back"], ["history", "payments"], ["config", "failed_requests: 50"]]) {
    for (const v of [operator, viewer]) {
      await v.go(`#/${hash}`);
      await v.page.locator("main").getByText(sought).first().waitFor();
    }
  }
  await operator.go("#/events");
  await operator.sees("by dashboard (Ann)");
  await brokenFile(operator, viewer);
  await abortAll(operator, viewer);
}

/** A file that is wrong is shown wherever one is, with its line, and so is that it was mended. */
async function brokenFile(operator, viewer) {
  await operator.go("#/config");
  await viewer.go("#/");
  await control("break");
  await operator.sees("What is wrong with the file");
  await viewer.sees("The last reload failed.");
  await control("mend");
  await operator.page.getByText("What is wrong with the file").waitFor({ state: "detached" });
  await viewer.page.getByText("The last reload failed.").waitFor({ state: "detached" });
  await operator.button("Reload").click();
  await operator.sees("Reloaded.");
  await viewer.go("#/config");
  assert.ok(await viewer.button("Reload").isDisabled());
}

/** All of them at once, with a list of what that is. */
async function abortAll(operator, viewer) {
  await viewer.go("#/");
  await viewer.page.locator(".services .row").first().waitFor();
  assert.ok(await viewer.button("Roll back all").isDisabled());
  await operator.go("#/");
  await operator.page.locator(".services .row").first().waitFor();
  await operator.button("Roll back all").click();
  const dialog = operator.page.getByRole("dialog");
  await dialog.getByText("search").waitFor();
  await dialog.getByLabel(/^Reason/).fill("everything looks odd");
  await dialog.getByRole("button", { name: /^Roll back \d+$/ }).click();
  await dialog.waitFor({ state: "detached" });
  await viewer.page.locator(".row.bad", { hasText: "search" }).waitFor();
  await viewer.page.locator(".row.bad", { hasText: "cart" }).waitFor();
}

/** From the first page to a rollback without a mouse. */
export async function keyboard(v) {
  const { page } = v, press = (key) => page.keyboard.press(key);
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute("aria-label") || document.activeElement?.textContent || "");
  const tabTo = async (what, key = "Tab") => {
    for (let i = 0; i < 60; i++) {
      if (what.test(await focused())) return;
      await press(key);
    }
    assert.fail(`${what} cannot be reached by ${key}; at ${await focused()}`);
  };
  await v.go("#/service/search");
  await give(v, "Retry");
  await stands(v, going);
  await v.go("#/");
  await page.reload();
  await page.locator(".services .row").first().waitFor();
  await press("Tab");
  assert.match(await focused(), /Skip to the content/);
  await press("Enter");
  await press("/");
  assert.equal(await focused(), "Search services");
  await page.keyboard.type("search");
  await tabTo(/^search/);
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.notEqual(outline, "none", "the focus can be seen");
  await press("Enter");
  await stands(v, going);
  await tabTo(/^Roll back$/);
  await press("Enter");
  await page.getByRole("dialog").waitFor();
  for (let i = 0; i < 8; i++) {
    await press(i < 4 ? "Tab" : "Shift+Tab");
    const inside = await page.evaluate(() => document.activeElement === document.body || Boolean(document.activeElement.closest("dialog")));
    assert.ok(inside, "the focus stays in the dialog");
  }
  await press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await until("the focus is where it was", async () => /^Roll back$/.test(await focused()));
  await press("Enter");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.type("by keyboard");
  await press("Enter");
  await stands(v, "Rolled back");
  await v.sees("by keyboard");
}

/** Nothing is cut off at 320 pixels, and in the dark everything is drawn anew. */
export async function narrow(browser, v) {
  const { page } = v;
  await page.setViewportSize({ width: 320, height: 640 });
  for (const hash of ["#/", "#/service/shop", "#/service/search", "#/service/mail", "#/events", "#/history", "#/config"]) {
    await v.go(hash);
    await page.locator("h1").first().waitFor();
    await until(`${hash} has come`, async () => (await page.getByText("Loading…").count()) === 0);
    await fits(v, hash);
  }
  await v.go("#/service/mail");
  await v.button("Retry").click();
  await fits(v, "a dialog");
  await v.button("Cancel").click();
  await page.setViewportSize({ width: 1360, height: 900 });
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await page.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
  await page.evaluate(() => { delete document.documentElement.dataset.theme; });
  assert.notEqual(await ground(), light);
  await page.emulateMedia({ colorScheme: "light", reducedMotion: null });
}

/** Haldane goes and comes back: the page says so, goes on by itself, keeps the login and what it has drawn. */
export async function restart(operator, viewer) {
  await operator.go("#/service/mail");
  await give(operator, "Retry");
  await stands(operator, going);
  await viewer.go("#/");
  for (const v of [operator, viewer]) v.offline = true;
  await control("stop");
  await operator.page.locator(".link", { hasText: "Reconnecting" }).waitFor();
  await control("start");
  for (const v of [operator, viewer]) await v.page.locator(".link", { hasText: "Live" }).waitFor();
  await viewer.page.locator(".row:is(.info, .warn)", { hasText: /^mail.*(Rolling out|Held)/ }).waitFor();
  for (const v of [operator, viewer]) v.offline = false;
  await operator.sees("the process was restarted");
  await give(operator, "Pause", { reason: "the session is still good" });
  await stands(operator, "Paused");

  await operator.button("Log out").click();
  await operator.sees("Log in to see releases");
  const answer = await operator.context.request.get(`${env("ADMIN")}/api/v1/rollouts`);
  assert.equal(answer.status(), 401);
  operator.offline = true; // a wrong token is an answer 401, which browsers write to the console
  await operator.button("Log in").first().click();
  await operator.page.getByLabel("Token").fill("wrong-0123456789abcdef0123456789");
  await operator.page.getByRole("dialog").getByRole("button", { name: "Log in" }).click();
  await operator.sees("the admin token is wrong");
  await operator.button("Cancel").click();
  operator.offline = false;
  await login(operator, env("OPERATE"), "Ann");
  await stands(operator, "Paused");
}
