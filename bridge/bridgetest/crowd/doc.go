// Package crowd plays thousands of waiting phones against a worker's socket, from a process of their own.
package crowd
