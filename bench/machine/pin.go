package machine

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// pinned marks a process that PinSelf has started anew; its value is the core.
const pinned = "HALDANE_BENCH_CORE"

// PinSelf starts the running program anew, with the same arguments, on one core: threads that a Go program already has would
// stay where they are. It returns in the new program, or when that cannot be done.
func PinSelf(core int) error {
	if os.Getenv(pinned) != "" {
		return nil
	}
	runtime.LockOSThread()
	if err := setCores([]int{core}); err != nil {
		return err
	}
	path, err := os.Executable()
	if err != nil {
		return fmt.Errorf("pin to core %d: %w", core, err)
	}
	environment := append(os.Environ(), fmt.Sprint(pinned, "=", core))
	return fmt.Errorf("pin to core %d: %w", core, syscall.Exec(path, os.Args, environment)) //nolint:gosec // it is this program
}

// Files is how many descriptors this process, and each that it starts, may have.
func Files() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 1024 // what every system allows
	}
	return int(min(limit.Max, 1<<20))
}

// Start starts a command that may run on the given cores alone.
func Start(command *exec.Cmd, cores []int) error {
	// A child inherits the cores of the thread that forks it.
	runtime.LockOSThread()
	var before unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return fmt.Errorf("look which cores there are: %w", err)
	}
	if err := setCores(cores); err != nil {
		return err
	}
	err := command.Start()
	if back := unix.SchedSetaffinity(0, &before); back != nil {
		return fmt.Errorf("go back to the own cores: %w", back) // the thread stays locked, and ends with its goroutine
	}
	runtime.UnlockOSThread()
	return err
}

// setCores says where the calling thread, which must be locked, may run.
func setCores(cores []int) error {
	var set unix.CPUSet
	for _, core := range cores {
		set.Set(core)
	}
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("run on the cores %v: %w", cores, err)
	}
	return nil
}
