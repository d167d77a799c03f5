// What the pages weigh, how soon they are there, and whether they stay smooth.
import assert from "node:assert/strict";

const most = 120 * 1024, paint = 300, long = 50;

/** All that a fresh browser has to fetch for the first page, as it travels; and how soon something is painted, at the best of a few attempts. */
export async function weight(v) {
  const { page } = v;
  let best = Infinity, bytes = 0;
  for (let i = 0; i < 6 && best > paint; i++) {
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

/** With two hundred services there is a window of a few seconds in which no task is long; another load of the machine makes some, the page makes all. */
export async function pace(v) {
  const { page } = v;
  await v.go("#/");
  await page.locator(".services .row").nth(190).waitFor();
  const rows = await page.locator(".services .row").count();
  assert.ok(rows >= 198, `${rows} rows`);
  let tasks = [];
  for (let i = 0; i < 5; i++) {
    tasks = await page.evaluate(() => new Promise((done) => {
      const seen = [];
      const watch = new PerformanceObserver((list) => seen.push(...list.getEntries().map((e) => e.duration)));
      watch.observe({ type: "longtask" });
      setTimeout(() => { watch.disconnect(); done(seen); }, 3500);
    }));
    if (tasks.length === 0) break;
  }
  assert.deepEqual(tasks, [], `tasks longer than ${long} ms in every window`);
}
