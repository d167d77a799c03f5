package stats

import "math"

// longestDecimal bounds the text of a number: more digits than this no float64 tells apart.
const longestDecimal = 24

// parseDecimal reads digits with an optional minus before them and optional decimals behind a point, and nothing else: no
// exponent, no NaN, no infinity, no space, no plus. It allocates nothing.
func parseDecimal(text []byte) (number float64, ok bool) {
	if len(text) == 0 || len(text) > longestDecimal {
		return 0, false
	}
	sign := 1.
	if text[0] == '-' {
		sign, text = -1, text[1:]
	}
	decimals, digits, point := 0, 0, false
	for _, c := range text {
		switch {
		case c >= '0' && c <= '9':
			number = number*10 + float64(c-'0')
			digits++
			if point {
				decimals++
			}
		case c == '.' && !point && digits > 0:
			point = true
		default:
			return 0, false
		}
	}
	if digits == 0 || point && decimals == 0 {
		return 0, false
	}
	return sign * number / math.Pow10(decimals), true
}
