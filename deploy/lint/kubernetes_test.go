package lint

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// kinds are the kinds that are deployed, as Kubernetes' own types.
func kinds() map[string]func() any {
	return map[string]func() any{
		"v1/ServiceAccount":                  func() any { return new(corev1.ServiceAccount) },
		"v1/Service":                         func() any { return new(corev1.Service) },
		"v1/ConfigMap":                       func() any { return new(corev1.ConfigMap) },
		"apps/v1/Deployment":                 func() any { return new(appsv1.Deployment) },
		"apps/v1/StatefulSet":                func() any { return new(appsv1.StatefulSet) },
		"networking.k8s.io/v1/NetworkPolicy": func() any { return new(networkingv1.NetworkPolicy) },
	}
}

// Each overlay is built as "kubectl apply -k" builds it, and each object of it has no field that its type does not have.
func TestOverlays(t *testing.T) {
	for overlay, want := range map[string][]string{
		"edge":    {"ConfigMap", "NetworkPolicy", "Service", "Service", "ServiceAccount", "StatefulSet"},
		"sidecar": {"ConfigMap", "Deployment", "Service", "Service", "ServiceAccount"},
	} {
		t.Run(overlay, func(t *testing.T) {
			built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), filepath.Join("..", "kubernetes", overlay))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, object := range built.Resources() {
				got = append(got, object.GetKind())
				text, err := object.AsYAML()
				if err != nil {
					t.Fatal(err)
				}
				name := strings.Trim(object.GetGvk().ApiVersion()+"/"+object.GetKind(), "/")
				fresh, known := kinds()[name]
				if !known {
					t.Fatalf("%s is not known to this test", name)
				}
				typed := fresh()
				if err := yaml.UnmarshalStrict(text, typed); err != nil {
					t.Errorf("%s %s: %v", name, object.GetName(), err)
				}
				check(t, typed)
			}
			if slices.Sort(got); !slices.Equal(got, want) {
				t.Errorf("%v are deployed, want %v", got, want)
			}
		})
	}
}

// check holds what a type does not say: a pod is hardened, its ports have the names that the Services use, and it has the time to
// drain that its configuration takes.
func check(t *testing.T, object any) {
	t.Helper()
	var pod *corev1.PodSpec
	switch o := object.(type) {
	case *appsv1.Deployment:
		pod = &o.Spec.Template.Spec
	case *appsv1.StatefulSet:
		pod = &o.Spec.Template.Spec
	case *corev1.Service:
		for _, port := range o.Spec.Ports {
			if name := port.TargetPort.StrVal; name != "http" && name != "admin" {
				t.Errorf("the Service %s leads to the port %q", o.Name, name)
			}
		}
		return
	default:
		return
	}
	i := slices.IndexFunc(slices.Concat(pod.InitContainers, pod.Containers), func(c corev1.Container) bool { return c.Name == "haldane" })
	if i < 0 {
		t.Fatal("no container is named haldane")
	}
	c := slices.Concat(pod.InitContainers, pod.Containers)[i]
	names := []string{c.Ports[0].Name, c.Ports[1].Name}
	if !slices.Equal(names, []string{"http", "admin"}) {
		t.Errorf("ports %v", names)
	}
	if s := c.SecurityContext; !*s.ReadOnlyRootFilesystem || *s.AllowPrivilegeEscalation || s.Capabilities.Drop[0] != "ALL" {
		t.Errorf("not hardened: %v", s)
	}
	if c.ReadinessProbe.HTTPGet.Path != "/readyz" {
		t.Errorf("ready: %v", c.ReadinessProbe)
	}
	if *pod.TerminationGracePeriodSeconds < 30 {
		t.Errorf("%d s to stop", *pod.TerminationGracePeriodSeconds)
	}
}

// A field that Kubernetes does not know is found: this test can fail.
func TestMistakeIsFound(t *testing.T) {
	text, err := os.ReadFile("../kubernetes/edge/statefulset.yaml")
	if err != nil {
		t.Fatal(err)
	}
	wrong := strings.Replace(string(text), "readinessProbe:", "readynessProbe:", 1)
	if err := yaml.UnmarshalStrict([]byte(wrong), new(appsv1.StatefulSet)); err == nil || !strings.Contains(err.Error(), "readynessProbe") {
		t.Errorf("%v", err)
	}
}
