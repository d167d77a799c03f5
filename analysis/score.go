package analysis

// Class is the word of a verdict.
type Class uint8

// The classes of a verdict.
const (
	// NoData is too little to say anything, or nothing to compare with.
	NoData Class = iota + 1
	// Marginal is undecided: neither shown to be harmful nor shown to be within tolerance.
	Marginal
	// Pass is shown to be within tolerance.
	Pass
	// Fail is a regression that is proven. It is final for the rollout.
	Fail
)

// String is the word for the class in logs, metrics and answers.
func (c Class) String() string {
	switch c {
	case NoData:
		return "no_data"
	case Marginal:
		return "marginal"
	case Pass:
		return "pass"
	case Fail:
		return "fail"
	}
	return "none"
}

// MarshalText makes the class its word in JSON.
func (c Class) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads what MarshalText wrote; an unknown word is the zero class.
func (c *Class) UnmarshalText(text []byte) error {
	*c = 0
	for k := NoData; k <= Fail; k++ {
		if k.String() == string(text) {
			*c = k
		}
	}
	return nil
}

// evidence is the two log wealths of a check and what they are measured against.
type evidence struct {
	harm, harmNeeded float64
	safe, safeNeeded float64
}

// score is 0 for a canary that leans to harm as far as the threshold, 100 for one that is shown to be good, 50 when
// nothing is known.
func (e evidence) score() float64 {
	return 50 + 50*(portion(e.safe, e.safeNeeded)-portion(e.harm, e.harmNeeded))
}

func portion(v, of float64) float64 { return min(1, max(0, v/of)) }
