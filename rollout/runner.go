package rollout

import (
	"haldane/analysis"
	"haldane/report"
)

// runner is the live part of one service. It belongs to whoever holds the manager's lock.
type runner struct {
	name    string
	state   State
	running bool // whether there is a rollout; otherwise state means nothing
	former  []former
	// revision is that of the last split, kept while there is no rollout.
	revision uint64

	asleep   bool            // loaded, and not configured yet
	unread   error           // why the stored record could not be read
	restored *analysis.State // the stored evidence, until Configure takes it up
	crowd    []byte          // the stored users, until then

	numbers  Numbers // of this process
	judge    *analysis.Judge
	settings *analysis.Settings // what the judge was made with
	evidence evidence
	// recording is what was judged in this attempt since the process knows it; nil for nothing.
	recording *report.Recording

	stored    uint64 // the revision of the record in the store
	failed    []byte // the last value that could not be stored for sure
	changed   bool   // since it was stored
	owed      debt   // to the store
	unapplied bool   // the splitter did not take the last split
	tie       *tie   // to the others of its release; nil for none
}

// awake says whether the runner has a rollout that is in force.
func (r *runner) awake() bool { return r.running && !r.asleep }
