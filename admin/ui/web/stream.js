// The one stream of a page. It begins with the whole state, also after a gap or a restart of Haldane, so that whoever connects again is right.

const kinds = ["state", "view", "row", "tick", "event", "config"];
const again = 3000; // after a refusal; the browser itself connects again after a broken connection

/**
 * Follows a subject: a service, or all of them for an empty name.
 * @param {string} service
 * @param {{on: (kind: string, data: any) => void, status: (text: "live"|"waiting"|"refused") => void}} to
 * @returns {() => void} what ends it
 */
export function follow(service, to) {
  const path = service ? `/api/v1/live?service=${encodeURIComponent(service)}` : "/api/v1/live";
  let source, timer;
  function open() {
    clearTimeout(timer);
    source = new EventSource(path);
    for (const kind of kinds) {
      source.addEventListener(kind, (message) => {
        to.status("live");
        to.on(kind, JSON.parse(message.data));
      });
    }
    source.onerror = () => {
      if (source.readyState !== EventSource.CLOSED) return to.status("waiting");
      to.status("refused");
      timer = setTimeout(open, again);
    };
  }
  function close() {
    clearTimeout(timer);
    source?.close();
  }
  // Who looks at something else needs no stream, and must not hold one of the few that there are.
  function look() {
    close();
    if (!document.hidden) open();
  }
  document.addEventListener("visibilitychange", look);
  look();
  return () => {
    document.removeEventListener("visibilitychange", look);
    close();
  };
}
