package extractor

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	mostTries  = 5
	firstPause = time.Second
)

// timing is where time and chance come from; tests bring their own.
type timing struct {
	now func() time.Time
	// random is in [0, 1).
	random func() float64
	// sleep returns the context's error when that ends first.
	sleep func(context.Context, time.Duration) error
}

var realTiming = timing{now: time.Now, random: rand.Float64, sleep: sleep}

func sleep(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// tries counts those in a row to make a lost connection again.
type tries int

// next gives the pause before the next one: 1, 2, 4, 8 and 16 s, less up to half of it, so that
// many clients of a server that comes back do not come at once. False once all have failed.
func (t *tries) next(random func() float64) (time.Duration, bool) {
	if *t == mostTries {
		return 0, false
	}
	full := firstPause << *t
	*t++
	return full - time.Duration(random()*float64(full)/2), true
}
