// A whole release by hand, watched by somebody who may only look and is refused.
import assert from "node:assert/strict";
import { admin, give, login, stands, until } from "./page.mjs";

const service = "shop";

/** Plays it. Both have logged in already. */
export async function release(operator, viewer) {
  await operator.go(`#/service/${service}`);
  await viewer.go(`#/service/${service}`);
  await stands(operator, "Waits for start");
  await refused(viewer, "Waits for start", ["start", "abort"]);

  await give(operator, "Start", { reason: "the office is awake" });
  await stands(operator, "Needs approval");
  await refused(viewer, "Needs approval", ["promote", "abort", "set-weight"]);
  await charts(operator);

  await give(operator, "Approve");
  await stands(operator, "Rolling out");
  await give(operator, "Pause", { reason: "lunch" });
  await stands(operator, "Paused");
  await refused(viewer, "Paused", ["resume", "promote", "abort", "override"]);
  await give(operator, "Resume");
  await stands(operator, "Rolling out");
  await give(operator, "Set weight", { fill: (d) => d.getByLabel("Share of v2 in percent").fill("12.5") });
  await operator.page.locator(".huge", { hasText: "12.5%" }).waitFor();
  await give(operator, "Override", { reason: "to see whether it helps", fill: (d) => d.getByRole("combobox").selectOption("v2") });
  await operator.sees("All traffic goes to v2 by order.");
  await give(operator, "Clear override");
  await give(operator, "Resume");
  await give(operator, "Roll back", { reason: "marketing says no" });
  await stands(operator, "Rolled back");
  await refused(viewer, "Rolled back", ["retry"]);
  await readReport(operator, "marketing says no");
  await readReport(viewer, "marketing says no");

  await give(operator, "Retry");
  await stands(operator, "Needs approval");
  await give(operator, "Approve");
  await stands(operator, "Rolling out");
  await give(operator, "Next step", { reason: "it looks good" });
  await stands(operator, "Baking");
  await give(operator, "Promote fully");
  await stands(operator, "Promoted");
  await refused(viewer, "Promoted", ["override"]);
  await operator.sees("dashboard (Ann)");
}

/** The viewer sees the same, has no button that works, and the server refuses what the page does not offer. */
async function refused(viewer, text, orders) {
  await stands(viewer, text);
  await viewer.sees("You see everything and change nothing.");
  const buttons = viewer.page.locator(".orders button:not(.quiet)");
  for (const button of await buttons.all()) assert.ok(await button.isDisabled(), await button.textContent());
  const key = await viewer.page.evaluate(() => localStorage.getItem("haldane.key"));
  for (const order of orders) {
    const answer = await viewer.context.request.post(`${admin}/api/v1/rollouts/${service}/${order}`, { data: {}, headers: { Origin: admin, "Haldane-Session": key ?? "" } });
    assert.equal(answer.status(), 403, order);
    assert.equal(answer.headers()["content-type"], "application/problem+json");
  }
}

/** The charts have been drawn: not every pixel is the same. */
async function charts(v) {
  await until("the charts are drawn", () => v.page.evaluate(() => {
    const all = [...document.querySelectorAll(".plot canvas")];
    return all.length === 4 && all.every((c) => new Set(new Uint32Array(c.getContext("2d").getImageData(0, 0, c.width, c.height).data.buffer)).size > 3);
  }));
  await v.page.locator(".plot").first().hover();
  await v.page.locator(".tip:visible").first().waitFor();
}

/** The report opens in a tab of its own, as a page and as text. */
async function readReport(v, why) {
  for (const [name, kind] of [[/^Read the report of/, "text/html"], ["Markdown", "text/markdown"]]) {
    const link = v.page.getByRole("link", { name }).first();
    await link.waitFor();
    const [tab, answer] = await Promise.all([
      v.context.waitForEvent("page"),
      v.context.waitForEvent("response", (r) => r.url().includes("/api/v1/reports/")),
      link.click(),
    ]);
    assert.equal(answer.status(), 200);
    assert.ok(answer.headers()["content-type"].startsWith(kind), answer.headers()["content-type"]);
    if (kind === "text/html") await tab.getByText(why).first().waitFor();
    await tab.close();
  }
}

/** Both begin: without a token there is nothing to see, a wrong one is refused, and the address need not hold one. */
export async function enter(operator, viewer, tokens) {
  for (const [v, token, name, role] of [[operator, tokens.operate, "Ann", "Operator"], [viewer, tokens.read, "", "Read-only"]]) {
    await v.go("");
    await v.sees("Log in to see releases");
    await login(v, token, name);
    await v.sees(role);
    const cookies = await v.context.cookies();
    assert.equal(cookies.length, 1);
    assert.ok(cookies[0].httpOnly && cookies[0].sameSite === "Strict", JSON.stringify(cookies));
  }
}
