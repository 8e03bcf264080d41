// The other yardstick: a bare net/http server that gives everybody the same answer. `net_http PORT`; $BODY is the answer's
// body.
package main

import (
	"log"
	"net/http"
	"os"
)

func main() {
	body := []byte(os.Getenv("BODY"))
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Metadata-Flavor", "Google")
		w.Write(body)
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], handler))
}
