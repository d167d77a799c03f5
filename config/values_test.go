package config

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"
)

func TestParseDuration(t *testing.T) {
	f := func(text string, want time.Duration) {
		t.Helper()
		if got, err := ParseDuration(text); err != nil || time.Duration(got) != want {
			t.Errorf("ParseDuration(%q) = %v, %v; want %v", text, time.Duration(got), err, want)
		}
	}
	f("0", 0)
	f("0s", 0)
	f("250ms", 250*time.Millisecond)
	f("1m30s", 90*time.Second)
	f("1.5h", 90*time.Minute)
	f("1d", day)
	f("1d12h", 36*time.Hour)
	f("0.5d", 12*time.Hour)
	f("30d", 30*day)
	f("-1d12h", -36*time.Hour)
	f("-5s", -5*time.Second)
	f("106751d23h47m16.854775807s", math.MaxInt64)
	f("-106751d23h47m16.854775807s", -math.MaxInt64)
}

func TestParseDurationRefuses(t *testing.T) {
	for _, text := range []string{
		"", "5", "1.5", "d", "1d5", "1w", "d1h", "1d-2h", "1d+2h", "+1d", "--1s", "1dd", "1d1d", "1h1d", "5 s", "-", "1d d", "1e3s",
		"106752d", "106751d23h47m16.854775808s", "9999999999999d", "1..5d",
	} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("ParseDuration(%q) = %v; want an error", text, got)
		}
	}
}

func TestDurationString(t *testing.T) {
	f := func(d time.Duration, want string) {
		t.Helper()
		if got := Duration(d).String(); got != want {
			t.Errorf("%v is written %q; want %q", d, got, want)
		}
	}
	f(0, "0s")
	f(time.Second, "1s")
	f(10*time.Second, "10s")
	f(time.Minute, "1m")
	f(90*time.Second, "1m30s")
	f(time.Hour, "1h")
	f(time.Hour+time.Second, "1h0m1s")
	f(10*time.Hour+10*time.Minute, "10h10m")
	f(day, "1d")
	f(36*time.Hour, "1d12h")
	f(day+time.Nanosecond, "1d1ns")
	f(-time.Hour, "-1h")
}

func TestParsePercent(t *testing.T) {
	f := func(text string, want Percent) {
		t.Helper()
		if got, err := ParsePercent(text); err != nil || got != want {
			t.Errorf("ParsePercent(%q) = %d, %v; want %d", text, uint64(got), err, uint64(want))
		}
	}
	f("0", 0)
	f("0%", 0)
	f("5%", 5*percentUnit)
	f("5", 5*percentUnit)
	f("5 %", 5*percentUnit)
	f("05%", 5*percentUnit)
	f("0.01%", percentUnit/100)
	f("12.5", percentUnit*25/2)
	f("100%", Whole)
	f("100.0000000000000000%", Whole)
	f("0.0000000000000001%", 1)
	f("99.9999999999999999%", Whole-1)
}

func TestParsePercentRefuses(t *testing.T) {
	for _, text := range []string{
		"", "%", "-1%", "+1%", "1e2%", "101%", "100.0000000000000001%", "0.00000000000000001%", ".5%", "5.%", "5%%", "5 % ", "1,5%",
		"half", "0x5", "18446744073709551616", "1 2%", "٥%", "1_0%",
	} {
		if got, err := ParsePercent(text); err == nil {
			t.Errorf("ParsePercent(%q) = %v; want an error", text, got)
		}
	}
}

// TestFractionIsExact compares with arithmetic that cannot overflow.
func TestFractionIsExact(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	two64 := new(big.Int).Lsh(big.NewInt(1), 64)
	check := func(p Percent) {
		t.Helper()
		want := new(big.Int).Mul(new(big.Int).SetUint64(uint64(p)), two64)
		want.Div(want, new(big.Int).SetUint64(uint64(Whole)))
		got, all := p.Fraction()
		if all || want.Cmp(new(big.Int).SetUint64(got)) != 0 {
			t.Errorf("%s is %d of 2^64, %v; want %s", p, got, all, want)
		}
	}
	for _, p := range []Percent{0, 1, 2, percentUnit / 100, percentUnit, Whole / 2, Whole - 1} {
		check(p)
	}
	for range 10_000 {
		check(Percent(random.Uint64N(uint64(Whole))))
	}
	if half, _ := (Whole / 2).Fraction(); half != 1<<63 {
		t.Errorf("half is %d", half)
	}
	if _, all := Whole.Fraction(); !all {
		t.Error("the whole is not all")
	}
	if r := (percentUnit / 100).Ratio(); r != 0.0001 {
		t.Errorf("0.01%% is %v", r)
	}
}

func TestParseBytes(t *testing.T) {
	f := func(text string, want Bytes) {
		t.Helper()
		if got, err := ParseBytes(text); err != nil || got != want {
			t.Errorf("ParseBytes(%q) = %d, %v; want %d", text, int64(got), err, int64(want))
		}
	}
	f("0", 0)
	f("1234", 1234)
	f("5B", 5)
	f("64KiB", 64<<10)
	f("64Ki", 64<<10)
	f("1MiB", 1<<20)
	f("1Mi", 1<<20)
	f("2GiB", 2<<30)
	f("2Gi", 2<<30)
	f("1TiB", 1<<40)
	f("10kB", 10_000)
	f("10KB", 10_000)
	f("10MB", 10_000_000)
	f("10 MB", 10_000_000)
	f("1GB", 1_000_000_000)
	f("9223372036854775807", math.MaxInt64)
}

func TestParseBytesRefuses(t *testing.T) {
	for _, text := range []string{
		"", "KiB", "-1", "+1", "1.5MiB", "1M", "1k", "1kib", "1 KiB ", "9223372036854775808", "8388608TiB", "1e3", "1KiBKiB", "0x10",
	} {
		if got, err := ParseBytes(text); err == nil {
			t.Errorf("ParseBytes(%q) = %v; want an error", text, got)
		}
	}
}

// TestValuesSurviveTheirText writes values and reads them back, as text, JSON and YAML.
func TestValuesSurviveTheirText(t *testing.T) {
	type values struct {
		D Duration `yaml:"d" json:"d"`
		P Percent  `yaml:"p" json:"p"`
		B Bytes    `yaml:"b" json:"b"`
	}
	random := rand.New(rand.NewPCG(3, 4))
	for range 5_000 {
		// Shifts make short and round numbers as likely as long ones.
		in := values{
			D: Duration(int64(random.Uint64()) >> random.IntN(64)),
			P: Percent(random.Uint64N(uint64(Whole)+1)) / Percent(math.Pow10(random.IntN(19))),
			B: Bytes(random.Int64() >> random.IntN(63) << random.IntN(3)),
		}
		in.B = max(in.B, 0)
		if in.D == math.MinInt64 {
			continue // Go's own parser can read it, ours negates
		}
		asJSON, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		var fromJSON, fromYAML values
		if err := json.Unmarshal(asJSON, &fromJSON); err != nil || fromJSON != in {
			t.Fatalf("%+v became %s and then %+v, %v", in, asJSON, fromJSON, err)
		}
		asYAML, err := yaml.Dump(in)
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.Load(asYAML, &fromYAML); err != nil || fromYAML != in {
			t.Fatalf("%+v became %s and then %+v, %v", in, asYAML, fromYAML, err)
		}
	}
}

func TestSecretNeverShows(t *testing.T) {
	type holder struct {
		S Secret
		P *Secret
		M map[string]Secret
	}
	secret := Secret("hunter2")
	h := holder{secret, &secret, map[string]Secret{"k": secret}}
	var shown []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%T %v"} {
		shown = append(shown, fmt.Sprintf(strings.ReplaceAll(verb, "%T", ""), secret), fmt.Sprintf(strings.ReplaceAll(verb, "%T", ""), h))
	}
	asJSON, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	asYAML, err := yaml.Dump(h)
	if err != nil {
		t.Fatal(err)
	}
	shown = append(shown, fmt.Sprint(secret), secret.String(), secret.GoString(), string(asJSON), string(asYAML),
		fmt.Errorf("token %v", secret).Error())
	for _, text := range shown {
		if strings.Contains(text, "hunter2") || strings.Contains(strings.ToLower(text), fmt.Sprintf("%x", "hunter2")) {
			t.Errorf("a secret shows in %s", text)
		}
	}
	if string(secret) != "hunter2" {
		t.Error("the secret itself is lost")
	}
	if text, _ := Secret("").MarshalText(); len(text) != 0 {
		t.Error("no secret looks like one")
	}
}
