package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"haldane/bench/report"
)

// again writes what an earlier run has found out.
func (o *options) again(out io.Writer) error {
	f, err := os.Open(o.from) //nolint:gosec // the caller names the file
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
	if err := writeFile(o.json, r.WriteJSON); err != nil {
		return fmt.Errorf("store the figures: %w", err)
	}
	return nil
}

// write writes tables and pictures to where they are wanted; without a document the tables go to standard output.
func (o *options) write(r *report.Report, out io.Writer) error {
	if o.pages != "" {
		for _, p := range r.Pictures() {
			if err := writeFile(filepath.Join(o.pages, p.Name), p.Write); err != nil {
				return fmt.Errorf("draw: %w", err)
			}
		}
	}
	if o.readme != "" {
		if err := report.Put(o.readme, r.WriteShort); err != nil {
			return err
		}
	}
	if o.page != "" {
		return report.Put(o.page, r.WritePage)
	}
	return r.WritePage(out)
}

func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.Create(path) //nolint:gosec // the caller names the files
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}
