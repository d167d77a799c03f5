// Package bench measures Haldane side by side with what it could be: no proxy at all, and a bare relay of bytes.
//
// It owns the benchmarks of whole requests over real sockets; those of single functions stand next to the functions. A
// figure only means something beside the others of the same run.
package bench
