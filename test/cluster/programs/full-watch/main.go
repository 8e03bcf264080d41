// Command full-watch keeps every pod and every ServiceAccount of a cluster, as a daemon on informers does that does not choose: what
// metadatad is measured against. Its arguments are a kubeconfig and, if lists are to come as they are, "uncompressed"; it prints one
// line of JSON once its lists are complete.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"sync/atomic"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

type counting struct {
	next     http.RoundTripper
	requests *atomic.Int64
}

func (c counting) RoundTrip(request *http.Request) (*http.Response, error) {
	c.requests.Add(1)
	return c.next.RoundTrip(request)
}

func main() {
	config, err := clientcmd.BuildConfigFromFlags("", os.Args[1])
	if err != nil {
		panic(err)
	}
	config.DisableCompression = len(os.Args) > 2 && os.Args[2] == "uncompressed"
	var requests atomic.Int64
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return counting{next, &requests} })

	factory := informers.NewSharedInformerFactory(kubernetes.NewForConfigOrDie(config), 0)
	pods := factory.Core().V1().Pods().Informer()
	serviceAccounts := factory.Core().V1().ServiceAccounts().Informer()
	factory.Start(nil)
	factory.WaitForCacheSync(nil)
	fmt.Printf("{\"requests\": %d, \"pods\": %d, \"serviceAccounts\": %d}\n",
		requests.Load(), len(pods.GetStore().ListKeys()), len(serviceAccounts.GetStore().ListKeys()))
	// Ends with whoever started it.
	_, _ = io.Copy(io.Discard, os.Stdin)
}
