package main

import (
	"context"
	"encoding/json"
	"fmt"

	admissionv1 "k8s.io/api/admission/v1"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	kubemetrics "k8s.io/component-base/metrics"
	"k8s.io/pod-security-admission/admission"
	admissionapi "k8s.io/pod-security-admission/admission/api"
	"k8s.io/pod-security-admission/admission/api/load"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/metrics"
)

var codecs = serializer.NewCodecFactory(webhookScheme())

// webhookScheme knows the groups that upstream's webhook knows (cmd/webhook/server/scheme.go).
func webhookScheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	utilruntime.Must(corev1.AddToScheme(scheme))
	utilruntime.Must(appsv1.AddToScheme(scheme))
	utilruntime.Must(batchv1.AddToScheme(scheme))
	utilruntime.Must(admissionv1.AddToScheme(scheme))
	return scheme
}

// count is one counter of upstream's metrics that the review moved.
type count struct {
	Name   string            `json:"name"`
	Labels map[string]string `json:"labels"`
	Value  float64           `json:"value"`
}

type gatherer func() ([]count, error)

// review answers as the webhook does: config_error where it would not start, bad_request where it answers 400, crash
// where it panics and drops the connection.
func (j *judge) review(q question) (answer any) {
	cluster, err := decodeCluster(q)
	if err != nil {
		return failed{err.Error()}
	}
	config, err := loadConfig(q.Config)
	if err != nil {
		return map[string]string{"config_error": err.Error()}
	}
	delegate := &admission.Admission{
		Configuration:    config,
		Evaluator:        j.evaluator,
		Metrics:          j.metrics,
		PodSpecExtractor: admission.DefaultPodSpecExtractor{},
		PodLister:        cluster,
		NamespaceGetter:  cluster,
	}
	if err := delegate.CompleteConfiguration(); err != nil {
		return map[string]string{"config_error": err.Error()}
	}
	if err := delegate.ValidateConfiguration(); err != nil {
		return map[string]string{"config_error": err.Error()}
	}
	request, err := decodeReview(q.Review)
	if err != nil {
		return map[string]string{"bad_request": err.Error()}
	}

	defer func() {
		if crash := recover(); crash != nil {
			answer = map[string]string{"crash": fmt.Sprint(crash)}
		}
	}()
	j.metrics.Reset()
	// The answers of upstream are shared: the uid goes into a copy.
	response := *validate(delegate, request)
	response.UID = request.UID
	counts, err := j.gather()
	if err != nil {
		return failed{err.Error()}
	}
	return map[string]any{"response": response, "metrics": counts}
}

// validate stands for the webhook's registration, which names CREATE and UPDATE only: the others never reach upstream.
func validate(delegate *admission.Admission, request *admissionv1.AdmissionRequest) *admissionv1.AdmissionResponse {
	if request.Operation == admissionv1.Delete || request.Operation == admissionv1.Connect {
		return &admissionv1.AdmissionResponse{Allowed: true}
	}
	return delegate.Validate(context.Background(), api.RequestAttributes(request, codecs.UniversalDeserializer()))
}

// decodeReview follows HandleValidate of cmd/webhook/server/server.go.
func decodeReview(body []byte) (*admissionv1.AdmissionRequest, error) {
	kind := admissionv1.SchemeGroupVersion.WithKind("AdmissionReview")
	object, decoded, err := codecs.UniversalDeserializer().Decode(body, &kind, nil)
	if err != nil {
		return nil, fmt.Errorf("unable to decode the request: %w", err)
	}
	review, ok := object.(*admissionv1.AdmissionReview)
	if !ok || *decoded != kind {
		return nil, fmt.Errorf("unexpected AdmissionReview kind: %s", decoded)
	}
	if review.Request == nil {
		return nil, fmt.Errorf("no request: upstream panics here")
	}
	return review.Request, nil
}

func loadConfig(raw json.RawMessage) (*admissionapi.PodSecurityConfiguration, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return load.LoadFromData(nil)
	}
	return load.LoadFromData(raw)
}

// cluster is the namespaces and pods of the question.
type cluster struct {
	namespaces map[string]*corev1.Namespace
	pods       []*corev1.Pod
}

func decodeCluster(q question) (*cluster, error) {
	c := &cluster{namespaces: map[string]*corev1.Namespace{}}
	for _, raw := range q.Namespaces {
		object, err := decodeAs(raw, "Namespace")
		if err != nil {
			return nil, fmt.Errorf("a namespace of the cluster: %w", err)
		}
		namespace := object.(*corev1.Namespace)
		c.namespaces[namespace.Name] = namespace
	}
	for _, raw := range q.Pods {
		object, err := decodeAs(raw, "Pod")
		if err != nil {
			return nil, fmt.Errorf("a pod of the cluster: %w", err)
		}
		c.pods = append(c.pods, object.(*corev1.Pod))
	}
	return c, nil
}

// decodeAs decodes an object of the core group as clients and the webhook do: leniently, but with case.
func decodeAs(raw []byte, kind string) (runtime.Object, error) {
	want := corev1.SchemeGroupVersion.WithKind(kind)
	object, got, err := codecs.UniversalDeserializer().Decode(raw, &want, nil)
	if err == nil && *got != want {
		err = fmt.Errorf("expected a %s, got %s", want, got)
	}
	return object, err
}

func (c *cluster) GetNamespace(_ context.Context, name string) (*corev1.Namespace, error) {
	if namespace, ok := c.namespaces[name]; ok {
		return namespace, nil
	}
	return nil, apierrors.NewNotFound(corev1.Resource("namespaces"), name)
}

func (c *cluster) ListPods(_ context.Context, namespace string) ([]*corev1.Pod, error) {
	var pods []*corev1.Pod
	for _, pod := range c.pods {
		if pod.Namespace == namespace {
			pods = append(pods, pod)
		}
	}
	return pods, nil
}

// newRecorder is upstream's own recorder, as a binary of v1.37 has it, and a way to read what it counted.
func newRecorder() (*metrics.PrometheusRecorder, gatherer) {
	recorder := metrics.NewPrometheusRecorder(api.MajorMinorVersion(1, 37))
	registry := kubemetrics.NewKubeRegistry()
	recorder.MustRegister(registry.MustRegister)
	return recorder, func() ([]count, error) {
		families, err := registry.Gather()
		if err != nil {
			return nil, err
		}
		counts := []count{}
		for _, family := range families {
			for _, metric := range family.Metric {
				if value := metric.GetCounter().GetValue(); value > 0 {
					labels := map[string]string{}
					for _, label := range metric.Label {
						labels[label.GetName()] = label.GetValue()
					}
					counts = append(counts, count{family.GetName(), labels, value})
				}
			}
		}
		return counts, nil
	}
}
