// Package admintest has workers for tests of those who ask one: without phones that wait, and without problems.
package admintest

import (
	"context"

	"github.com/pushbridge/pushbridge/bridge/problem"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
)

// Unwaiting is where no phone waits, as an admin.Waiting.
type Unwaiting struct{}

// Waiting implements admin.Waiting.
func (Unwaiting) Waiting() int { return 0 }

// Waits implements admin.Waiting.
func (Unwaiting) Waits(string, string) bool { return false }

// Order implements admin.Waiting.
func (Unwaiting) Order(string, string, error) bool { return false }

// Wake implements admin.Waiting.
func (Unwaiting) Wake(string, ...syncengine.FolderID) {}

// Again implements admin.Waiting.
func (Unwaiting) Again(string, string) bool { return false }

// Unproblematic is a register of problems that has none.
type Unproblematic struct{}

// List implements admin.Problems.
func (Unproblematic) List(context.Context, string) ([]problem.Problem, error) { return nil, nil }
