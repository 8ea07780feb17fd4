// A Kafka for development, in memory or in a directory: kfake, listening on 127.0.0.1 only.
//
// It prints its address once it answers, and ends on SIGTERM, SIGINT, or when its standard input
// ends: so it never outlives the program that started it. Exit code 3: the port is taken.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

// Ports from 32768 on are those that systems hand out by themselves.
const lowestPort, portsEnd = 20_000, 32_768

func main() {
	port := flag.Int("port", 0, "port to listen on; 0: any free one below 32768")
	dataDir := flag.String("data-dir", "", "keep data here; empty: in memory")
	flag.Parse()

	stop := make(chan os.Signal, 2)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	go func() {
		io.Copy(io.Discard, os.Stdin)
		stop <- os.Interrupt
	}()

	cluster, err := start(*port, *dataDir)
	if errors.Is(err, syscall.EADDRINUSE) {
		os.Exit(3)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	mark := leaveMark(*dataDir)
	fmt.Println(cluster.ListenAddrs()[0])
	go keepCompacting(cluster)
	<-stop
	cluster.Close()
	os.Remove(mark)
}

func start(port int, dataDir string) (*kfake.Cluster, error) {
	if port != 0 {
		return listen(port, dataDir)
	}
	for {
		cluster, err := listen(lowestPort+rand.IntN(portsEnd-lowestPort), dataDir)
		if !errors.Is(err, syscall.EADDRINUSE) {
			return cluster, err
		}
	}
}

func listen(port int, dataDir string) (*kfake.Cluster, error) {
	return kfake.NewCluster(
		kfake.NumBrokers(1),
		kfake.Ports(port),
		kfake.DataDir(dataDir),
		kfake.GroupMinSessionTimeout(time.Second),
		kfake.BrokerConfigs(map[string]string{
			"default.replication.factor": "1",
			"log.cleaner.backoff.ms":     "1000000000000", // never by itself: see keepCompacting
		}),
	)
}
