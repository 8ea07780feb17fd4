package main

import (
	"encoding/binary"
	"io"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const compactEvery = 15 * time.Second // as Kafka looks for work

// keepCompacting compacts now and then, while no transaction is open: kfake takes the records of an
// open one for committed and drops what they replace, also if they are aborted afterwards. It reads
// and writes all there is each time, so it rests for long after much work.
func keepCompacting(cluster *kfake.Cluster) {
	for pause := compactEvery; ; {
		time.Sleep(pause)
		open, err := transactionIsOpen(cluster.ListenAddrs()[0])
		if err != nil || open {
			pause = 50 * time.Millisecond
			continue
		}
		began := time.Now()
		cluster.Compact()
		pause = max(compactEvery, 50*time.Since(began))
	}
}

// transactionIsOpen asks as a client would: kfake has no other way to say.
func transactionIsOpen(address string) (bool, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	request := kmsg.NewPtrListTransactionsRequest()
	request.StateFilters = []string{"Ongoing"}
	if _, err = conn.Write(kmsg.NewRequestFormatter().AppendRequest(nil, request, 0)); err != nil {
		return false, err
	}
	head := make([]byte, 4+4+1) // size, correlation id, no tags
	if _, err = io.ReadFull(conn, head); err != nil {
		return false, err
	}
	body := make([]byte, binary.BigEndian.Uint32(head)-5)
	if _, err = io.ReadFull(conn, body); err != nil {
		return false, err
	}
	response := kmsg.NewPtrListTransactionsResponse()
	err = response.ReadFrom(body)
	return len(response.TransactionStates) > 0, err
}
