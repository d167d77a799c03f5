package stats

import "time"

const (
	// VoteWindow is how often a user votes.
	VoteWindow = time.Minute
	// FewUsers is the number of users on the canary below which it is not waited for the next window when it is dead.
	FewUsers = 20
	// pardonEvery is how long a user who failed is left out within a step that lasts longer: else a long step with few
	// users would hear of nobody in the end.
	pardonEvery = time.Hour
)

// Poll decides when the users of a service vote again: once in a VoteWindow, and not at all once they have failed (see Voters).
//
// A canary with few users that fails them all would have to be watched until the users are through with many windows: five
// failures of five users are not much, when half of all users are on the canary. So while at least half of the votes that the
// canary got in this window have failed, and it has fewer than FewUsers users, everybody may vote at every look. One
// broken client among several is not half of the votes. With a single user it is, and the verdict is about that user: the
// evidence is an approximation then.
//
// The zero value is ready. It is not for concurrent use.
type Poll struct {
	began    time.Time // the vote window
	pardoned time.Time
	votes    Counts // of the canary, in this window
}

// Look takes the judged requests of the canary since the last look, and begins a new window when it is time.
func (p *Poll) Look(v *Voters, now time.Time, canary Counts) {
	p.votes = p.votes.plus(canary)
	if now.Sub(p.pardoned) >= pardonEvery || now.Before(p.pardoned) {
		v.Pardon()
		p.pardoned = now
	}
	switch {
	case now.Sub(p.began) >= VoteWindow || now.Before(p.began):
		v.Rotate()
		p.began, p.votes = now, Counts{}
	case p.votes.Bad > 0 && 2*p.votes.Bad >= p.votes.Total() && v.Users() < FewUsers:
		v.Pardon()
		v.Rotate()
	}
}

// NewStep begins a new step: everybody may vote again.
func (p *Poll) NewStep(v *Voters, now time.Time) {
	v.NewStep()
	*p = Poll{began: now, pardoned: now}
}
