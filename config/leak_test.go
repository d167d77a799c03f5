package config

import (
	"testing"

	"go.uber.org/goleak"
)

func runWithoutLeaks(m *testing.M) { goleak.VerifyTestMain(m) }
