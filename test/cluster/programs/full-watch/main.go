package main

import (
	"fmt"

	_ "k8s.io/client-go/informers"
	_ "k8s.io/client-go/kubernetes"
)

func main() { fmt.Println("x") }
