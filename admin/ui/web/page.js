// The page of one service: what is out, to whom, is it healthy, what happens next, and the button that stops it.
import { get } from "./api.js";
import { Confirm } from "./actions.js";
import { Budget, Gates, Parts } from "./bounds.js";
import { Charts } from "./charts.js";
import { Checks } from "./checks.js";
import { EventList } from "./events.js";
import { Ended, ends } from "./history.js";
import { html, useEffect, useRef, useState } from "./html.js";
import { Hero } from "./hero.js";
import { Failure } from "./overview.js";
import { Steps } from "./steps.js";
import { Variants } from "./variants.js";
import { announcement } from "./words.js";

/** The page. */
export function Release({ name, release, who, config, login, took, heard, link }) {
  const [asked, setAsked] = useState(""), [ended, setEnded] = useState(null);
  const { view, service } = release;
  // Without a rollout a service has a history only if it had one before; it is then among that of all.
  const read = () => get(view ? `/api/v1/services/${encodeURIComponent(name)}/history` : "/api/v1/history")
    .then((all) => setEnded(all.ended.filter((e) => e.service === name)), () => setEnded([]));
  useEffect(() => {
    if (!release.known) return undefined;
    read();
    return heard((e) => e.service === name && ends(e) && read());
  }, [name, release.known]);
  if (!release.known) return html`<h1>${name}</h1><p class="hint" role="status">${link === "refused" ? "This service cannot be shown; perhaps there is none of this name." : "Loading…"}</p>`;
  if (!view) return html`<div class="head"><h1>${name}</h1><p class="sub">No rollout: the configuration names no canary.</p></div>
    <${Charts} release=${release} /><${Variants} service=${service} /><${Past} ended=${ended} />`;
  return html`
    <${Announce} view=${view} />
    <${Failure} config=${config} />
    <${Hero} release=${release} who=${who} login=${login} ask=${setAsked} stale=${link !== "live"} />
    <${Steps} view=${view} />
    <${Gates} view=${view} who=${who} took=${took} />
    <${Charts} release=${release} />
    <${Checks} verdict=${view.verdict} />
    <div class="columns">
      <section class="card" aria-labelledby="events-title"><h2 id="events-title">Events</h2><${EventList} events=${release.events} most=${50} /></section>
      <div><${Budget} view=${view} /><${Parts} view=${view} /><${Variants} service=${service} view=${view} /></div>
    </div>
    <${Past} ended=${ended} />
    ${asked && html`<${Confirm} key=${asked} view=${view} service=${service} name=${asked} close=${() => setAsked("")} done=${took} />`}`;
}

const Past = ({ ended }) => html`<section class="card" aria-labelledby="past-title"><h2 id="past-title">Ended rollouts</h2>
  ${ended ? html`<${Ended} ended=${ended} />` : html`<p class="hint">Loading…</p>`}</section>`;

/** Says to those who do not see the page that the phase has changed. */
function Announce({ view }) {
  const before = useRef(""), now = `${view.phase}/${view.pause ?? ""}/${view.step}/${view.override ?? ""}`;
  const [said, say] = useState("");
  useEffect(() => {
    if (before.current && before.current !== now) say(announcement(view));
    before.current = now;
  }, [now]);
  return html`<p class="unseen" role="status" aria-live="polite">${said}</p>`;
}
