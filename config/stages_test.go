package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	inPolicy = "version: 1\nsegments: {staff: {header: X-Staff}}\npolicies: {quick: {VALUE}}" + small
	ofPolicy = "policies.quick."
	// released is a service with a canary, whose policy is laid over in the place of VALUE.
	released = `version: 1
policies:
  quick:
    steps: [5%, {weight: 20%, duration: 2m}]
    checks: {latency: {p50: {relative: 7%}, p99: {min_requests: 600}}, events: {gone: 404}}
    budget: {failed_requests: 9}
  patch: {steps: [50%], bake: {duration: 1m}, checks: {errors: {relative: 1%}}}
  grow: {ramp: {}}
services:
  shop:
    variants: {v1: {endpoints: ["a:1"], revision: 1.4.2}, v2: {endpoints: ["a:2"], revision: REVISION}}
    stable: v1
    canary: v2
    VALUE
`
)

func TestStepsAndStages(t *testing.T) {
	testOptions(t, inPolicy, ofPolicy,
		good("steps: [{stage: internal, segment: staff}, {stage: internal, weight: 1%}, {stage: early, opt_in: beta}, 5%]"),
		good("steps: [5%], restart_factor: 25%, patch: careful"),
		good("steps: [{weight: 5%, checks: [errors, p99, gone]}], checks: {events: {gone: 404}}"),
		bad("steps: [{stage: a, weight: 1%}, 2%, {stage: a, weight: 5%}]",
			`steps[2].stage: the steps of a stage follow each other; the stage "a" has ended already`),
		bad("steps: [{stage: a b, weight: 1%}]",
			`steps[0].stage: the name of a stage is made of letters, digits, ".", "_" and "-" and begins with a letter or a digit, got "a b"`),
		bad("steps: [{opt_in: ga}, {opt_in: gamma}, 5%]",
			`steps[0].opt_in: expected alpha or beta, got "ga", which is everybody; that is what weight is for`,
			`steps[1].opt_in: expected alpha or beta, got "gamma"`),
		bad("steps: [{opt_in: alpha}]", "steps[0]: the last step needs a weight above 0%: after it the canary takes over"),
		bad("steps: [{weight: 5%, checks: [error, p50, p50]}]",
			`steps[0].checks[0]: there is no check "error" (did you mean "errors"?)`, `steps[0].checks[2]: "p50" is listed twice`),
		bad("steps: [{weight: 5%, checks: [p95]}], checks: {latency: off}", `steps[0].checks[0]: there is no check "p95"; there is errors`),
		bad("steps: [{weight: 5%, checks: []}]", "steps[0].checks: at least one check has to count; leave the key out for all"),
		bad("steps: [5%], restart_factor: 0%", "restart_factor: expected a percentage above 0%"),
		bad("steps: [5%], patch: carefu", `patch: there is no policy "carefu" (did you mean "careful"?)`),
	)
}

func TestRampOptions(t *testing.T) {
	testOptions(t, inPolicy, ofPolicy,
		good("ramp: {}"),
		good("ramp: {from: 0.1%, to: 90%, every: 3h, min_requests: 1, max_failures: 5, advance_when: proven, approval: true}"),
		bad("ramp: off", "policies.quick: at least one step is required"),
		bad("ramp: {}, steps: [5%]", "ramp: ramp and steps exclude each other: a ramp makes its own steps"),
		bad("ramp: {from: 0%, to: 95%, every: 0, min_requests: 0, max_failures: -1, advance_when: now}",
			"bake.holdback: the bake would take the canary from 95% back to 90%; lower the holdback, end the ramp earlier, or set the bake's duration to 0",
			"ramp.from: expected a percentage above 0%",
			"ramp.to: expected a percentage below 95%, got 95%: the canary must be compared with something",
			"ramp.every: expected a duration above zero, got 0s",
			"ramp.min_requests: expected at least 1, got 0", "ramp.max_failures: expected at least 0, got -1",
			`ramp.advance_when: expected no_regression or proven, got "now"`),
		bad("ramp: {from: 60%, max_duration: 1s}", "ramp.to: the weight cannot fall: 50% comes after 60%",
			"ramp.max_duration: max_duration (1s) cannot be shorter than every (1m)"),
	)
	c := mustParse(t, strings.Replace(inPolicy, "VALUE", "ramp: {to: 40%, every: 3h}", 1))
	want := Ramp{From: percentUnit, To: 40 * percentUnit, Every: minutes(180), MaxDuration: minutes(180), MinRequests: 50, AdvanceWhen: AdvanceNoRegression}
	quick := c.Policies["quick"]
	if diff := cmp.Diff(&want, quick.Ramp); diff != "" || len(quick.Steps) != 0 {
		t.Error(diff)
	}
	steady := quick.Steady()
	if step := steady.Steps[0]; len(steady.Steps) != 1 || step.Name != "ramp 1% to 40%" || step.Weight != 40*percentUnit || step.Duration != want.Every {
		t.Errorf("%+v", steady.Steps)
	}
}

func TestOptIn(t *testing.T) {
	const early = "\npolicies: {careful: {steps: [{opt_in: beta}, 5%]}}"
	file := "version: 1" + early + "\nservices: {shop: {variants: {v1: {endpoints: [\"a:1\"]}, v2: {endpoints: [\"a:2\"]}}, stable: v1, VALUE}}"
	testOptions(t, file, ofService,
		good("canary: v2, opt_in: {cookie: early, field: X-Early, query: early}"),
		good("canary: v2, tenants: {header: X-Tenant}, opt_in: {tenants: {acme: beta, old: ga}}"),
		good("opt_in: off"), // without a canary nobody is exposed
		bad("canary: v2", "services.shop: its policy has a step for users who opted in; opt_in has to say how a request tells"),
		bad("canary: v2, opt_in: {}", "opt_in: expected at least one of query, field, cookie and tenants"),
		bad("opt_in: {cookie: a b, field: \"X:\", query: \"?\"}", `opt_in.cookie: "a b" is not the name of a cookie`,
			`opt_in.field: "X:" is not the name of a field`),
		bad("opt_in: {tenants: {acme: betta}}",
			"opt_in.tenants: this needs the field that names the tenant; add tenants: {header: ...} to the service",
			`opt_in.tenants.acme: expected alpha, beta or ga, got "betta"`),
		bad("canary: v2, policy: careful, policy_overrides: {steps: [1%]}",
			"services.shop: its policy has a step for users who opted in; opt_in has to say how a request tells"),
	)
}

// lay is the policy of the release of a service.
func lay(t *testing.T, keys, revision string) (Policy, string) {
	t.Helper()
	text := strings.NewReplacer("VALUE", keys, "REVISION", revision).Replace(released)
	return mustParse(t, text).Release("shop")
}

func TestOverridesAreLaidOverThePolicy(t *testing.T) {
	base, name := lay(t, "policy: quick", "2.0.0")
	if name != "quick" {
		t.Errorf("the name is %s", name)
	}
	f := func(keys string, change func(*Policy)) {
		t.Helper()
		got, name := lay(t, "policy: quick\n    policy_overrides: {"+keys+"}", "2.0.0")
		want, _ := lay(t, "policy: quick", "2.0.0") // with maps of its own
		change(&want)
		if diff := diffConfig(want, got); diff != "" || name != "quick (overridden)" {
			t.Errorf("%s: %s (-want +got):\n%s", keys, name, diff)
		}
	}
	p99, p50 := base.Checks.Latency["p99"], base.Checks.Latency["p50"]
	f("", func(*Policy) {})
	f("budget: {failed_requests: 0}, alpha: 2%", func(p *Policy) { p.Budget.FailedRequests, p.Alpha = 0, 2*percentUnit })
	f("bake: {duration: 3m}", func(p *Policy) { p.Bake.Duration = minutes(3) })
	f("checks: {latency: {p50: {absolute: 2ms}}}", func(p *Policy) { p50.Absolute = 2e6; p.Checks.Latency["p50"] = p50 })
	f("checks: {latency: {p99: {quantile: 95%}}}", func(p *Policy) { p99.Quantile = 95 * percentUnit; p.Checks.Latency["p99"] = p99 })
	f("checks: {latency: {p95: {}}}", func(p *Policy) {
		p.Checks.Latency["p95"] = LatencyCheck{
			Quantile: 95 * percentUnit, Relative: 10 * percentUnit, Absolute: 1e6, Critical: true,
			Group: "latency", MinRequests: 100, Window: seconds(5), Windows: 3,
		}
	})
	f("checks: {latency: off}", func(p *Policy) { p.Checks.Latency = nil })
	f("checks: {latency: {}, events: {}}", func(p *Policy) { p.Checks.Latency, p.Checks.Events = nil, nil })
	f("steps: [{weight: 1%, duration: 1h}]", func(p *Policy) {
		step := DefaultStep()
		step.Name, step.Weight, step.Duration, step.MaxDuration = "1%", percentUnit, minutes(60), minutes(60)
		p.Steps = []Step{step}
	})
	f("ramp: {from: 2%}", func(p *Policy) {
		r := new(Ramp)
		r.setDefaults()
		r.From = 2 * percentUnit
		p.Ramp, p.Steps = r, []Step{r.step()}
	})
	grown, name := lay(t, "policy: grow\n    policy_overrides: {ramp: {to: 30%}}", "2.0.0")
	if grown.Ramp.To != 30*percentUnit || grown.Ramp.From != percentUnit || name != "grow (overridden)" {
		t.Errorf("%s %+v", name, grown.Ramp)
	}
	if again, _ := lay(t, "policy: quick", "2.0.0"); diffConfig(base, again) != "" {
		t.Error("the base has changed")
	}
	if stepped, _ := lay(t, "policy: grow\n    policy_overrides: {steps: [3%]}", "2.0.0"); stepped.Ramp != nil || len(stepped.Steps) != 1 {
		t.Errorf("%+v", stepped)
	}
}

func TestOverridesOfTheBuiltInPolicy(t *testing.T) {
	got, name := lay(t, "policy_overrides: {budget: {failed_requests: 7}}", "2.0.0")
	want := Careful()
	want.Budget.FailedRequests = 7
	if diff := diffConfig(want, got); diff != "" || name != "careful (overridden)" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func TestProblemsOfOverrides(t *testing.T) {
	testOptions(t, released, "services.shop.policy_overrides.",
		bad("policy_overrides: {stepps: [], alpha: 60%, checks: {latency: {p99: {max: -1s}}, errors: {relative: much}}}",
			"stepps: unknown key (did you mean \"steps\"?)",
			"alpha: expected a percentage above 0% and up to 50%, got 60%",
			"checks.latency.p99.max: a duration cannot be negative, got -1s",
			`checks.errors.relative: expected a percentage such as 5% or 0.01%, got "much"`),
		bad("policy: quick\n    policy_overrides: {bake: {holdback: 85%}}",
			"bake.holdback: the bake would take the canary from 20% back to 15%; lower the holdback, end the steps earlier, or set the bake's duration to 0"),
		bad("policy: quik\n    policy_overrides: {alpha: 3%}", `services.shop.policy: there is no policy "quik" (did you mean "quick"?)`),
		bad("policy_overrides: quick", `services.shop.policy_overrides: expected a mapping of keys to values, got "quick"`),
	)
}

// A patch release takes the policy for patches: the service's, else the one that its policy names, which may be an override.
func TestPatchReleases(t *testing.T) {
	f := func(keys, revision, want string) {
		t.Helper()
		if _, name := lay(t, keys, revision); name != want {
			t.Errorf("%s with %s: %s, want %s", keys, revision, name, want)
		}
	}
	f("policy: quick", "1.4.3", "quick")
	f("policy: quick\n    patch: patch", "1.4.3", "patch")
	f("policy: quick\n    patch: patch", "v1.4.1+build.7", "patch")
	f("policy: quick\n    patch: patch", "1.4.2+build.7", "quick") // the same version
	for _, other := range []string{"1.5.0", "2.4.3", "1.4.3-rc.1", "1.4", "1.4.03", "1.4.x", "a1b2c3d", "\"\""} {
		f("policy: quick\n    patch: patch", other, "quick")
	}
	f("policy: quick\n    policy_overrides: {patch: patch}", "1.4.3", "patch (overridden)")
	f("policy: quick\n    patch: grow\n    policy_overrides: {patch: patch}", "1.4.3", "grow (overridden)")
	got, _ := lay(t, "policy: quick\n    patch: patch\n    policy_overrides: {steps: [1%], bake: {duration: 1h}, budget: {failed_requests: 3}}", "1.4.3")
	want, _ := lay(t, "policy: patch", "2.0.0")
	want.Budget.FailedRequests = 3
	if diff := diffConfig(want, got); diff != "" {
		t.Errorf("a patch with overrides (-want +got):\n%s", diff)
	}
	if p, name := mustParse(t, "version: 1"+small).Release("none"); name != "" || len(p.Steps) != 0 {
		t.Error("a service that does not exist has a policy")
	}
}

// What is in effect can be loaded again, and is in effect again.
func TestOverridesSurviveADump(t *testing.T) {
	text := strings.NewReplacer("REVISION", "1.4.3", "VALUE", `policy: quick
    patch: patch
    policy_overrides: {checks: {latency: off, events: {}}, ramp: {to: 30%}}`).Replace(released)
	c := mustParse(t, text)
	dump, err := c.Dump()
	if err != nil {
		t.Fatal(err)
	}
	again := mustParse(t, string(dump))
	if diff := diffConfig(c, again); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
