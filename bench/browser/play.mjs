// Everything that one can do in the dashboard, in a real browser.
import assert from "node:assert/strict";
import { env, launch, visitor } from "./page.mjs";
import { access } from "./access.mjs";
import { enter, release } from "./release.mjs";
import { everythingElse, keyboard, narrow, restart } from "./pages.mjs";
import { pace, weight } from "./weight.mjs";
import { shots } from "./shots.mjs";

const browser = await launch();
const began = Date.now();
const visitors = [];
const scenes = [];

async function scene(name, play) {
  const at = Date.now();
  try {
    await play();
  } catch (e) {
    const pages = browser.contexts().flatMap((c) => c.pages());
    for (const page of pages) console.log(`${page.url()}\n${(await page.locator("body").innerText().catch(() => "")).slice(0, 3000)}\n---`);
    for (const v of visitors) console.log(v.complaints.join("\n"));
    throw new Error(`${name}: ${e.stack}`);
  }
  scenes.push(`${name} ${((Date.now() - at) / 1000).toFixed(1)} s`);
}

try {
  const operator = await visitor(browser), viewer = await visitor(browser);
  visitors.push(operator, viewer);
  const tokens = { operate: env("OPERATE"), read: env("READ") };
  await scene("enter", () => enter(operator, viewer, tokens));
  if (env("SHOTS")) {
    await scene("screenshots", () => shots(browser, operator, env("SHOTS")));
  } else {
    await scene("weight", () => weight(operator));
    await scene("release", () => release(operator, viewer));
    await scene("everything else", () => everythingElse(operator, viewer));
    await scene("access", async () => {
      const guest = await visitor(browser);
      await guest.go("");
      await access(operator, guest);
      await guest.context.close();
    });
    await scene("keyboard", () => keyboard(operator));
    await scene("narrow and dark", () => narrow(browser, operator));
    await scene("pace", () => pace(browser, operator));
    await scene("restart", () => restart(operator, viewer));
  }
  for (const v of visitors) assert.deepEqual(v.complaints, []);
  console.log(`${scenes.join(", ")}; ${((Date.now() - began) / 1000).toFixed(1)} s in all`);
} finally {
  await browser.close();
}
