package config

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

const (
	// percentUnit is one percent.
	percentUnit = Whole / 100
	// percentDecimals is the number of decimals that one percent is exact to.
	percentDecimals = 16
)

// ParsePercent reads "5%", "0.01%" or a bare number of percent, from 0 to 100 with up to 16 decimals. Nothing is rounded.
func ParsePercent(text string) (Percent, error) {
	number := strings.TrimRight(strings.TrimSuffix(text, "%"), " ")
	whole, decimals, point := strings.Cut(number, ".")
	if !digits(whole) || point && !digits(decimals) {
		return 0, fmt.Errorf("expected a percentage such as 5%% or 0.01%%, got %q", text)
	}
	if len(decimals) > percentDecimals {
		return 0, fmt.Errorf("%q has more than %d decimals", text, percentDecimals)
	}
	n, err := strconv.ParseUint(whole, 10, 64)
	if err != nil || n > 100 {
		return 0, fmt.Errorf("expected a percentage from 0%% to 100%%, got %q", text)
	}
	fraction, err := strconv.ParseUint((decimals + strings.Repeat("0", percentDecimals))[:percentDecimals], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read the decimals of %q: %w", text, err)
	}
	p := Percent(n)*percentUnit + Percent(fraction)
	if p > Whole {
		return 0, fmt.Errorf("expected a percentage from 0%% to 100%%, got %q", text)
	}
	return p, nil
}

// digits says whether s is one or more decimal digits.
func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// String writes the share with as many decimals as it has: "5%", "0.01%".
func (p Percent) String() string {
	text := strconv.FormatUint(uint64(p/percentUnit), 10)
	if rest := p % percentUnit; rest != 0 {
		text += strings.TrimRight(fmt.Sprintf(".%0*d", percentDecimals, uint64(rest)), "0")
	}
	return text + "%"
}

// Ratio is the share as a number from 0 to 1, for metrics and arithmetic that need not be exact.
func (p Percent) Ratio() float64 { return float64(p) / float64(Whole) }

// Fraction is the share as a threshold for a uniformly drawn 64-bit number h: h is inside when all is set or
// h < threshold. The threshold is p*2^64/Whole, rounded down. 100 % has no such threshold, hence all.
func (p Percent) Fraction() (threshold uint64, all bool) {
	if p >= Whole {
		return 0, true
	}
	threshold, _ = bits.Div64(uint64(p), 0, uint64(Whole))
	return threshold, false
}

// MarshalText writes what String writes, for JSON and YAML.
func (p Percent) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads what ParsePercent reads.
func (p *Percent) UnmarshalText(text []byte) (err error) {
	*p, err = ParsePercent(string(text))
	return err
}
