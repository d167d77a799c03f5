package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"haldane/bench/report"
)

// again writes what an earlier run has found out.
func (o *options) again(out io.Writer) error {
	f, err := os.Open(o.from)
	if err != nil {
		return err
	}
	defer f.Close()
	r, err := report.Read(f)
	if err != nil {
		return err
	}
	return o.write(r, out)
}

// store writes all figures, when that is wanted.
func (o *options) store(r *report.Report) error {
	if o.json == "" {
		return nil
	}
	f, err := os.Create(o.json)
	if err != nil {
		return fmt.Errorf("store the figures: %w", err)
	}
	return errors.Join(r.WriteJSON(f), f.Close())
}

// write writes tables and pictures.
func (o *options) write(r *report.Report, out io.Writer) error {
	return r.WriteTables(out)
}
