// What the pages weigh, how soon they are there, and whether they stay smooth.
import assert from "node:assert/strict";

const most = 120 * 1024, paint = 300, long = 50;

/** All that a fresh browser has to fetch for the first page, as it travels; and how soon something is painted, at the best of a few attempts. */
export async function weight(v) {
  const { page } = v;
  let best = Infinity, bytes = 0;
  for (let i = 0; i < 10 && best > paint; i++) {
    await v.go("#/");
    await page.reload();
    await page.locator(".services .row").first().waitFor();
    best = Math.min(best, await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime));
    bytes = await page.evaluate(() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
      .filter((e) => /\/ui\//.test(e.name)).reduce((sum, e) => sum + e.encodedBodySize, 0));
  }
  assert.ok(bytes > 10_000 && bytes < most, `${bytes} bytes`);
  assert.ok(best < paint, `first paint after ${best} ms`);
  console.log(`pages of ${bytes} bytes, first paint after ${best.toFixed(0)} ms`);
}

/**
 * With two hundred services no task is long, from the first row to seconds later. What counts is the processor time of each task of the page: how long it takes
 * on the clock is for whatever else the machine does to say. Cold caches are, too, so that the best of three looks counts.
 */
export async function pace(browser, v) {
  let best = Infinity;
  for (let i = 0; i < 3 && best >= long; i++) {
    const tasks = await tasksOf(browser, v);
    assert.ok(tasks.length > 100, `${tasks.length} tasks were seen`);
    best = Math.min(best, Math.max(...tasks));
    console.log(`${tasks.length} tasks, the longest ${Math.max(...tasks).toFixed(1)} ms`);
  }
  assert.ok(best < long, `a task takes ${best} ms`);
}

/** The processor time of each task of the page in the first seconds of the overview, in milliseconds. */
async function tasksOf(browser, v) {
  const { page } = v;
  await v.go("#/config");
  await page.locator("h1").first().waitFor();
  await browser.startTracing(page, { categories: ["toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline"] });
  await v.go("#/");
  await page.locator(".services .row").nth(190).waitFor();
  assert.ok((await page.locator(".services .row").count()) >= 198);
  await page.waitForTimeout(5000);
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  const main = new Set(traceEvents.filter((e) => e.name === "thread_name" && e.args.name === "CrRendererMain").map((e) => `${e.pid}/${e.tid}`));
  return traceEvents.filter((e) => e.ph === "X" && /RunTask$/.test(e.name) && e.tdur !== undefined && main.has(`${e.pid}/${e.tid}`)).map((e) => e.tdur / 1000);
}
