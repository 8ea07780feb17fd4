package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// leaveMark leaves a file that is there as long as the broker runs, and says so if the last broker
// did not take its own away: kfake does not settle what was open when it was killed.
func leaveMark(dataDir string) string {
	if dataDir == "" {
		return ""
	}
	mark := filepath.Join(dataDir, "running")
	if _, err := os.Stat(mark); err == nil {
		fmt.Fprintf(os.Stderr, "the broker on %s was killed the last time: transactions that were open "+
			"are not settled, and readers may miss what their producers write from now on; "+
			"delete it, or take another\n", dataDir)
	}
	os.WriteFile(mark, nil, 0o644)
	return mark
}
