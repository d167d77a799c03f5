// Package browser uses the dashboard as people do: in a real browser, against the built binary, with real traffic behind it.
//
// It owns the world that the browser looks at, and the scripts that look. It does not own the pages (admin/ui). Nothing in the product
// imports it. The scripts need Node.js, playwright-core and axe-core ("npm ci" in this folder) and Debian's chromium-headless-shell.
//
// Concurrency: the world serves many goroutines; a test owns it.
package browser
