// The caller of the vectors and stories through examples/go; README.md has the protocol.
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	atlas "atlas-postbooking"
)

func main() {
	fmt.Println("ready")
	in, out := bufio.NewReader(os.Stdin), bufio.NewWriter(os.Stdout)
	for {
		var verb string
		var times int
		var sizes [4]int
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		if _, err := fmt.Sscan(line, &verb, &times, &sizes[0], &sizes[1], &sizes[2], &sizes[3]); err != nil {
			panic(err)
		}
		var texts [4][]byte
		for i, size := range sizes {
			texts[i] = make([]byte, size)
			if _, err := io.ReadFull(in, texts[i]); err != nil {
				panic(err)
			}
		}
		reply := answer(verb, times, string(texts[0]), texts[1], texts[2], texts[3])
		rawLen := len(reply.Raw)
		if reply.Raw == nil {
			rawLen = -1
		}
		leaked := atlas.LiveHandles() - 1 // the queue
		if leaked < 0 {
			leaked = 0
		}
		fmt.Fprintf(out, "%d %d %d %d %d %d %d\n", reply.Status, reply.Outcome, reply.HTTPStatus, reply.VendorStatus,
			len(reply.JSON), rawLen, leaked)
		out.Write(reply.JSON)
		out.Write(reply.Raw)
		out.Flush()
	}
}

func answer(verb string, times int, operation string, config, request, options []byte) *atlas.Reply {
	ctx := context.Background()
	switch verb {
	case "VALIDATE":
		return must(atlas.Validate(operation, request))
	case "DESCRIBE":
		return atlas.Describe(operation)
	case "LOCAL":
		return must((*atlas.Client)(nil).Reply(ctx, operation, request, options))
	}
	if verb == "FORGET" {
		return forget(times, config)
	}
	client, err := atlas.New(config)
	if unknown, is := err.(*atlas.OutcomeUnknown); is {
		return unknown.Reply
	}
	if refused, is := err.(*atlas.CallError); is {
		return refused.Reply
	}
	if err != nil {
		panic(err)
	}
	defer client.Close()
	switch verb {
	case "READS":
		return reads(client, times, operation, request)
	case "LEAVE":
		go client.Reply(ctx, operation, request, options)
		time.Sleep(time.Duration(times) * time.Millisecond)
		os.Exit(0)
	case "CANCEL":
		ctx, stop := context.WithTimeout(ctx, time.Duration(times)*time.Millisecond)
		defer stop()
		return must(client.Reply(ctx, operation, request, options))
	}
	var reply *atlas.Reply
	for ; times > 0; times-- {
		reply = must(client.Reply(ctx, operation, request, options))
	}
	return reply
}

// forget makes clients that nobody closes, and says how many handles are left once they were collected.
func forget(times int, config []byte) *atlas.Reply {
	for i := 0; i < times; i++ {
		if _, err := atlas.New(config); err != nil {
			panic(err)
		}
	}
	for i := 0; i < 50 && atlas.LiveHandles() > 2; i++ {
		runtime.GC()
		time.Sleep(20 * time.Millisecond)
	}
	return &atlas.Reply{JSON: []byte(fmt.Sprintf(`{"live":%d}`, atlas.LiveHandles()))}
}

func reads(client *atlas.Client, times int, operation string, request []byte) *atlas.Reply {
	var ok, gap, ticks atomic.Int64
	stop, ended := make(chan bool), make(chan bool)
	go func() {
		last := time.Now()
		for {
			select {
			case <-stop:
				close(ended)
				return
			case <-time.After(5 * time.Millisecond):
				now := time.Now()
				if late := now.Sub(last).Milliseconds() - 5; late > gap.Load() {
					gap.Store(late)
				}
				last = now
				ticks.Add(1)
			}
		}
	}()
	done := make(chan bool)
	for i := 0; i < times; i++ {
		go func() {
			if must(client.Reply(context.Background(), operation, request, nil)).Status == atlas.StatusOK {
				ok.Add(1)
			}
			done <- true
		}()
	}
	for i := 0; i < times; i++ {
		<-done
	}
	close(stop)
	<-ended
	return &atlas.Reply{JSON: []byte(fmt.Sprintf(`{"ok":%d,"gapMs":%d,"ticks":%d}`, ok.Load(), gap.Load(), ticks.Load()))}
}

func must(reply *atlas.Reply, err error) *atlas.Reply {
	if err != nil {
		panic(err)
	}
	return reply
}
