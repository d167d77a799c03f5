// A browser whose every complaint is an error, and small words for what people do.
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

export const env = (name) => process.env[name] ?? "";
export const admin = env("ADMIN");
const patience = 30_000;

const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** Starts the browser. */
export const launch = () => chromium.launch({ executablePath: env("CHROMIUM"), args: flags });

/** What somebody who looks at a page has: a context of their own, and a list of complaints that must stay empty. */
export async function visitor(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, ...options });
  context.setDefaultTimeout(patience);
  const complaints = [];
  const v = { context, complaints, offline: false };
  await context.addInitScript(() => addEventListener("securitypolicyviolation", (e) => console.error(`policy violation: ${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`)));
  context.on("page", (page) => {
    page.on("console", (m) => {
      if (!["error", "warning"].includes(m.type())) return;
      if (v.offline && /Failed to load resource|ERR_/.test(m.text())) return; // Haldane is down, as it was told
      complaints.push(`${m.type()}: ${m.text()} (${page.url()})`);
    });
    page.on("pageerror", (e) => complaints.push(`exception: ${e.stack}`));
    page.on("request", (r) => { if (!r.url().startsWith(admin) && !/^(data|blob|about):/.test(r.url())) complaints.push(`asked somebody else: ${r.url()}`); });
  });
  v.page = await context.newPage();
  v.go = (path) => v.page.goto(`${admin}/ui/${path}`);
  v.button = (name) => v.page.getByRole("button", { name, exact: true });
  v.sees = (text) => v.page.getByText(text).first().waitFor();
  return v;
}

/** Logs in with a token. */
export async function login(v, token, name) {
  await v.button("Log in").first().click();
  await v.page.getByLabel("Token").fill(token);
  if (name) await v.page.getByLabel("Your name (optional)").fill(name);
  await v.page.getByRole("dialog").getByRole("button", { name: "Log in" }).click();
  await v.page.getByRole("dialog").waitFor({ state: "detached" });
}

/** Presses a button of a rollout and confirms it. */
export async function give(v, name, { reason, fill } = {}) {
  await v.button(name).click();
  const dialog = v.page.getByRole("dialog");
  if (fill) await fill(dialog);
  if (reason) await dialog.getByLabel(/^Reason/).fill(reason);
  await dialog.getByRole("button", { name, exact: true }).click();
  await dialog.waitFor({ state: "detached" });
}

/** Waits until the badge of the page says where the rollout is. */
export const stands = (v, text) => v.page.locator(".hero .badge.big").first().and(v.page.getByText(text, { exact: true })).waitFor();

/** Looks again and again until something holds. */
export async function until(what, holds, limit = patience) {
  const end = Date.now() + limit;
  while (!(await holds())) {
    assert.ok(Date.now() < end, `not within ${limit / 1000} s: ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

/** Tells the world to do something. */
export async function control(what) {
  const answer = await fetch(`${env("CONTROL")}/${what}`, { method: "POST" });
  assert.equal(answer.status, 200, what);
}

/** Nothing is wider than the window. */
export async function fits(v, where) {
  const [wide, window] = await v.page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(wide <= window, `${where}: ${wide} pixels in a window of ${window}`);
}
