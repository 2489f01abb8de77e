package main

import (
	"encoding/json"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/metrics"
	"k8s.io/pod-security-admission/policy"
)

// judge holds what one worker needs; nothing in it is shared.
type judge struct {
	evaluator policy.Evaluator
	// names is the same registry with every variant replaced by one that says its own name, "sysctls@v1.27", so that
	// the name of each result is known without a second notion of order and overrides.
	names   policy.Evaluator
	metrics *metrics.PrometheusRecorder
	gather  gatherer
}

// verdict is what one policy says of one pod.
type verdict struct {
	Allowed bool     `json:"allowed"`
	Reason  string   `json:"reason,omitempty"`
	Detail  string   `json:"detail,omitempty"`
	Denied  []string `json:"denied,omitempty"`
}

func newJudge() (*judge, error) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		return nil, err
	}
	checks := policy.DefaultChecks()
	for c := range checks {
		for v := range checks[c].Versions {
			name := fmt.Sprintf("%s@%s", checks[c].ID, checks[c].Versions[v].MinimumVersion.String())
			checks[c].Versions[v].CheckPod = func(*metav1.ObjectMeta, *corev1.PodSpec) policy.CheckResult {
				return policy.CheckResult{ForbiddenReason: name}
			}
		}
	}
	names, err := policy.NewEvaluator(checks, nil)
	if err != nil {
		return nil, err
	}
	recorder, gather := newRecorder()
	return &judge{evaluator, names, recorder, gather}, nil
}

// plan names the variants that each policy runs, in upstream's order.
func (j *judge) plan(q question) any {
	plans := make([][]string, len(q.Policies))
	for i, text := range q.Policies {
		lv, err := parsePolicy(text)
		if err != nil {
			return failed{err.Error()}
		}
		plans[i] = []string{}
		for _, result := range j.names.EvaluatePod(lv, &metav1.ObjectMeta{}, &corev1.PodSpec{}) {
			plans[i] = append(plans[i], result.ForbiddenReason)
		}
	}
	return map[string]any{"plans": plans}
}

// pod decodes as leniently as the webhook does and evaluates the pod under every policy asked for.
func (j *judge) pod(q question) any {
	raw, err := json.Marshal(map[string]json.RawMessage{"metadata": orNull(q.Metadata), "spec": orNull(q.Spec)})
	if err != nil {
		return failed{err.Error()}
	}
	object, err := decodeAs(raw, "Pod")
	if err != nil {
		return failed{err.Error()}
	}
	pod := object.(*corev1.Pod)
	verdicts := make([]verdict, len(q.Policies))
	for i, text := range q.Policies {
		lv, err := parsePolicy(text)
		if err != nil {
			return failed{err.Error()}
		}
		verdicts[i] = j.evaluate(lv, pod)
	}
	return map[string]any{"verdicts": verdicts}
}

func (j *judge) evaluate(lv api.LevelVersion, pod *corev1.Pod) verdict {
	results := j.evaluator.EvaluatePod(lv, &pod.ObjectMeta, &pod.Spec)
	aggregate := policy.AggregateCheckResults(results)
	v := verdict{Allowed: aggregate.Allowed, Reason: aggregate.ForbiddenReason(), Detail: aggregate.ForbiddenDetail()}
	if !v.Allowed {
		for i, name := range j.names.EvaluatePod(lv, &pod.ObjectMeta, &pod.Spec) {
			if !results[i].Allowed {
				v.Denied = append(v.Denied, name.ForbiddenReason)
			}
		}
	}
	return v
}

// parsePolicy reads "level:version" with upstream's own parsers.
func parsePolicy(text string) (api.LevelVersion, error) {
	level, version, _ := strings.Cut(text, ":")
	parsedLevel, err := api.ParseLevel(level)
	if err != nil {
		return api.LevelVersion{}, fmt.Errorf("policy %q: level %w", text, err)
	}
	parsedVersion, err := api.ParseVersion(version)
	if err != nil {
		return api.LevelVersion{}, fmt.Errorf("policy %q: version %w", text, err)
	}
	return api.LevelVersion{Level: parsedLevel, Version: parsedVersion}, nil
}

func orNull(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return json.RawMessage("null")
	}
	return raw
}
