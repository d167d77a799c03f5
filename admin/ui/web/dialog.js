// Dialogs: the browser's own, which keep the focus inside and close with Escape.
import { html, useEffect, useRef, useState } from "./html.js";

/** A dialog with a form. submit may throw, and what it says is shown. */
export function Dialog({ title, children, action, danger, submit, close, ready = true }) {
  const box = useRef();
  const [busy, setBusy] = useState(false), [failure, setFailure] = useState(null);
  useEffect(() => {
    const from = document.activeElement;
    box.current.showModal();
    return () => from?.focus?.();
  }, []);
  async function send(event) {
    event.preventDefault();
    if (busy || !ready) return;
    setBusy(true);
    setFailure(null);
    try {
      await submit();
    } catch (problem) {
      setFailure(problem);
      setBusy(false);
      return;
    }
    close();
  }
  return html`<dialog ref=${box} aria-labelledby="dialog-title" onClose=${close} onCancel=${close}>
    <form onSubmit=${send} novalidate>
      <h2 id="dialog-title">${title}</h2>
      ${children(failure)}
      ${failure && html`<p class="failure" role="alert">${failure.message}</p>`}
      <div class="buttons">
        <button type="button" class="quiet" onClick=${close}>Cancel</button>
        <button type="submit" class=${danger ? "danger" : "primary"} disabled=${busy || !ready}>${busy ? "Sending…" : action}</button>
      </div>
    </form>
  </dialog>`;
}

/** A labelled field of a form. */
export const Field = ({ label, hint, children }) => html`<label class="field"><span>${label}</span>${children}${hint && html`<small>${hint}</small>`}</label>`;
