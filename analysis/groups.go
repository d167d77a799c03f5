package analysis

import (
	"errors"
	"fmt"
)

// The groups that checks belong to by default.
const (
	groupErrors  = "errors"
	groupLatency = "latency"
)

// Group is the weight of a group of checks in the score (as in Kayenta's weighted sum of group scores).
type Group struct {
	// Name is the group, as Check.Group names it; unique. Required.
	Name string
	// Weight is its part of the score, 0 to 1. All weights together are at most 1; groups that are not listed share what is
	// left equally. Zero: the group does not count for the score, its checks still count for the class.
	Weight float64
}

// GroupScore is one group's part in the score.
type GroupScore struct {
	// Name is the group.
	Name string `json:"name"`
	// Weight is its part of the whole score, 0 to 1; the weights of all groups add up to 1.
	Weight float64 `json:"weight"`
	// Score is the mean score of its checks, 0 to 100.
	Score float64 `json:"score"`
}

func (s Settings) validateGroups() []error {
	var bad []error
	names := make(map[string]bool)
	sum := 0.0
	for _, g := range s.Groups {
		switch {
		case g.Name == "" || names[g.Name]:
			bad = append(bad, fmt.Errorf("group %q has no name or is there twice", g.Name))
		case !(g.Weight >= 0 && g.Weight <= 1):
			bad = append(bad, fmt.Errorf("group %q: weight %v must lie between 0 and 1", g.Name, g.Weight))
		}
		names[g.Name] = true
		sum += g.Weight
	}
	if sum > 1+1e-9 {
		bad = append(bad, errors.New("the weights of the groups add up to more than 1"))
	}
	return bad
}

// groups are the groups of the checks that count, in the order of the checks, with their weights. The weights of the
// groups that are there add up to 1.
func (s *Settings) groups() []GroupScore {
	var list []GroupScore
	given := make(map[string]float64)
	for _, g := range s.Groups {
		given[g.Name] = g.Weight
	}
	left, open := 1.0, 0
	seen := make(map[string]bool)
	for i := range s.Checks {
		c := &s.Checks[i]
		if c.Muted || seen[c.Group] {
			continue
		}
		seen[c.Group] = true
		w, listed := given[c.Group]
		if listed {
			left -= w
		} else {
			open++
			w = -1
		}
		list = append(list, GroupScore{Name: c.Group, Weight: w})
	}
	sum := 0.0
	for i := range list {
		if list[i].Weight < 0 {
			list[i].Weight = max(0, left) / float64(open)
		}
		sum += list[i].Weight
	}
	for i := range list {
		if sum > 0 {
			list[i].Weight /= sum
		} else { // nobody weighs anything: all the same
			list[i].Weight = 1 / float64(len(list))
		}
	}
	return list
}

// scores are the scores of the groups.
func (j *Judge) scores(checks []CheckVerdict) []GroupScore {
	list := append(make([]GroupScore, 0, len(j.groups)), j.groups...)
	for g := range list {
		sum, n := 0.0, 0.0
		for i := range checks {
			if c := &j.settings.Checks[i]; c.Group == list[g].Name && !c.Muted {
				sum += checks[i].Score
				n++
			}
		}
		list[g].Score = sum / n
	}
	return list
}

// score of the whole: the weighted mean of the groups; 0 once a critical check has failed; 50 when no check counts.
func score(checks []CheckVerdict, groups []GroupScore) float64 {
	for i := range checks {
		if checks[i].Class == Fail && checks[i].Critical {
			return 0
		}
	}
	if len(groups) == 0 {
		return 50
	}
	sum := 0.0
	for _, g := range groups {
		sum += g.Weight * g.Score
	}
	return sum
}
