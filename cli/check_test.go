package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Checking says what loading finds, and otherwise what running would fail on.
func TestCheck(t *testing.T) {
	const service = "services: {shop: {variants: {v1: {endpoints: [\"127.0.0.1:9001\"]}}}}\n"
	folder := t.TempDir() + string(filepath.Separator)
	files := map[string]string{
		"good.yaml": "version: 1\n" + service,
		"bad.yaml":  "version: 2\nlisten: {tls: {certificates: [{cert_file: none.pem, key_file: none.key}]}}\n",
		"start.yaml": `version: 1
listen:
  tls:
    certificates: [{cert_file: none.pem, key_file: none.key}]
    client_ca_file: empty.pem
admin: {address: "0.0.0.0:9901", read_token_file: read.token}
` + service,
		"empty.pem": "",
	}
	for name, text := range files {
		if err := os.WriteFile(folder+name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, args := range map[string][]string{
		"check_good":           {"check", folder + "good.yaml"},
		"check_bad":            {"check", folder + "bad.yaml"},
		"check_start":          {"check", folder + "start.yaml"},
		"check_insecure":       {"check", "--insecure-admin", folder + "start.yaml"},
		"check_without_files":  {"check", "--without-files", folder + "start.yaml"},
		"check_without_either": {"check", "--without-files", "--insecure-admin", folder + "start.yaml"},
		"check_help":           {"check", "--help"},
	} {
		got := invoke(t, args...)
		text := "$ haldane " + strings.Join(args, " ") + "\n" + got.stdout
		if got.stderr != "" {
			text += "--- stderr\n" + got.stderr
		}
		golden(t, name, strings.ReplaceAll(text, folder, "")+"--- exit "+string(rune('0'+got.code))+"\n")
	}
}
