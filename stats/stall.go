package stats

// Stall counts a request that has waited for an answer for too long: the judge takes it as failed now, while it goes on. It
// is still in flight, and how it ends is told by End as for any other request, but in the lane Unjudged, so that a verdict
// counts it once. It marks the service as dirty. The shard should be that of Begin.
func (v *Variant) Stall(shard uint64, lane Lane) {
	if slot := lane.slot(v.service.judging.Load()); slot != 0 {
		l := v.lane(v.berth(shard), slot)
		if events := lane.events(); events != 0 {
			l.happened(events, OutcomeTimeout)
		}
		l.failures.Add(1)
	}
	v.berth(shard).made().stalled.Add(1)
	v.service.touch()
}
