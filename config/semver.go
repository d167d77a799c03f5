package config

import (
	"strconv"
	"strings"
)

// semver is a version as Semantic Versioning 2.0.0 (semver.org) writes it; a "v" in front is allowed, and what follows a "+" is
// no part of it (section 10).
type semver struct {
	major, minor, patch uint64
	early               string // the pre-release, section 9
}

// readSemver reads a version; false when the text is none.
func readSemver(text string) (semver, bool) {
	text, _, _ = strings.Cut(strings.TrimPrefix(text, "v"), "+")
	core, early, dashed := strings.Cut(text, "-")
	parts := strings.Split(core, ".")
	if len(parts) != 3 || dashed && !isPreRelease(early) {
		return semver{}, false
	}
	var numbers [3]uint64
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 10, 64)
		if err != nil || strconv.FormatUint(n, 10) != part { // no leading zeros, section 2
			return semver{}, false
		}
		numbers[i] = n
	}
	return semver{numbers[0], numbers[1], numbers[2], early}, true
}

// isPreRelease says whether text is a list of identifiers.
func isPreRelease(text string) bool {
	for part := range strings.SplitSeq(text, ".") {
		if !only(part, letters+numerals+"-") {
			return false
		}
	}
	return true
}

// patchOf says whether one version differs from another in its patch number and in nothing else. Without two versions that can
// be read it does not.
func patchOf(stable, canary string) bool {
	a, okA := readSemver(stable)
	b, okB := readSemver(canary)
	return okA && okB && a.major == b.major && a.minor == b.minor && a.early == b.early && a.patch != b.patch
}
