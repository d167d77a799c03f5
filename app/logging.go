package app

import (
	"fmt"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"haldane/config"
)

// newLogger writes to standard error, in UTC, as the configuration says. Nothing is sampled: a line about a rollback is never
// the one that is left out.
func newLogger(cfg config.Log) (*zap.Logger, error) {
	level, err := zapcore.ParseLevel(cfg.Level)
	if err != nil {
		return nil, fmt.Errorf("log.level: %w", err)
	}
	encoder := zap.NewProductionEncoderConfig()
	encoder.TimeKey = "ts"
	encoder.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	encoder.EncodeDuration = zapcore.SecondsDurationEncoder
	settings := zap.Config{
		Level:             zap.NewAtomicLevelAt(level),
		Encoding:          cfg.Format,
		EncoderConfig:     encoder,
		OutputPaths:       []string{"stderr"},
		ErrorOutputPaths:  []string{"stderr"},
		DisableCaller:     true,
		DisableStacktrace: true,
	}
	logger, err := settings.Build()
	if err != nil {
		return nil, fmt.Errorf("open the log: %w", err)
	}
	return logger, nil
}
