package config

import (
	"fmt"
	"os"
	"strings"
)

// A Complaint is one thing that is wrong with a file, and what to do about it.
type Complaint struct {
	File   string
	Line   int // from 1; 0 if it concerns the file as a whole
	Wrong  string
	Remedy string
}

// String writes the complaint as "file:line: what is wrong; what to do".
func (c Complaint) String() string {
	where := c.File
	if c.Line > 0 {
		where = fmt.Sprintf("%s:%d", c.File, c.Line)
	}
	if c.Remedy == "" {
		return where + ": " + c.Wrong
	}
	return where + ": " + c.Wrong + "; " + c.Remedy
}

// Complaints are everything that is wrong with a file, in the file's order.
// There is at least one.
type Complaints []Complaint

// Error writes a line for each complaint.
func (cs Complaints) Error() string {
	lines := make([]string, len(cs))
	for i, c := range cs {
		lines[i] = c.String()
	}
	return strings.Join(lines, "\n")
}

func load(path string) (File, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return File{}, fmt.Errorf("config: %w", err)
	}
	return Parse(path, data)
}

// Parse reads a configuration from bytes; name is the file's name in
// complaints.
func Parse(name string, data []byte) (File, error) {
	return File{}, Complaints{{File: name, Wrong: fmt.Sprintf("%d bytes cannot be read", len(data))}}
}
