// Package atlas makes post-booking calls of the Atlas flight API: refunds, voids, ancillaries.
//
// Calls go through the library's completion queue: a goroutine that waits for a call is parked, and holds no thread. A
// cancelled context cancels its call; the error still says whether it may have been executed:
//
//	reply, err := client.Call(ctx, atlas.OpVoid, atlas.VoidRequest{OrderNo: &no, VoidOfferId: &offer})
//	var unknown *atlas.OutcomeUnknown
//	switch {
//	case errors.As(err, &unknown): // it may have been executed: query, do not submit again
//	case err != nil: // it was not
//	}
//
// Amounts are decimal strings; math/big.Rat reads them exactly.
package atlas

/*
#cgo LDFLAGS: -latlas_postbooking
#include <stdlib.h>
#include "atlas_postbooking.h"
*/
import "C"

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"sync"
	"unsafe"
)

// Outcome says whether the effect exists at the vendor. The zero value is Unknown.
type Outcome int

const (
	Unknown     Outcome = C.APB_UNKNOWN
	Executed    Outcome = C.APB_EXECUTED
	NotExecuted Outcome = C.APB_NOT_EXECUTED
	Pending     Outcome = C.APB_PENDING
)

func (o Outcome) String() string {
	return [...]string{"unknown", "executed", "not_executed", "pending"}[o]
}

// Reply is a copy of a reply of the library: nothing has to be freed.
type Reply struct {
	Status       Status
	Outcome      Outcome
	HTTPStatus   int // 0: no answer
	VendorStatus int
	JSON         []byte
	Raw          []byte // what the vendor sent; nil if nothing
}

// Data decodes the member "data", for example into a *VoidReply.
func (r *Reply) Data(into any) error { return r.Member("data", into) }

// Member decodes a member of the reply: data, error, warnings, meta, case.
func (r *Reply) Member(name string, into any) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(r.JSON, &members); err != nil {
		return err
	}
	if members[name] == nil {
		return fmt.Errorf("the reply has no %q", name)
	}
	return json.Unmarshal(members[name], into)
}

// CallError is a call that did not end well. Look at its outcome before anything is done again.
type CallError struct {
	Reply   *Reply
	Code    string `json:"code"`
	Message string `json:"message"`
	Help    string `json:"help"`
	Advice  string `json:"advice"`
	Next    string `json:"next"` // the operation that says more
	Field   string `json:"field"`
}

func (e *CallError) Error() string { return e.Message }

// OutcomeUnknown is a CallError whose call may have been executed: query, never submit again.
type OutcomeUnknown struct{ *CallError }

func (e *OutcomeUnknown) Unwrap() error { return e.CallError }

func (r *Reply) err() error {
	if r.Status == StatusOK {
		return nil
	}
	failure := &CallError{Reply: r}
	if err := r.Member("error", failure); err != nil {
		return err
	}
	if r.Outcome == Unknown {
		return &OutcomeUnknown{failure}
	}
	return failure
}

// Client is a configuration with its connections. Any number of goroutines may use one.
type Client struct{ handle *C.apb_client }

// New makes a client of a configuration: a text, bytes, or what encoding/json can encode.
func New(config any) (*Client, error) {
	text, err := encoded(config)
	if err != nil {
		return nil, err
	}
	client := &Client{}
	var why *C.apb_reply
	if C.apb_client_new(pointer(text), C.size_t(len(text)), &client.handle, &why) != C.APB_OK {
		return nil, taken(why).err()
	}
	runtime.SetFinalizer(client, (*Client).Close)
	return client, nil
}

// Close frees the client; calls in flight go on.
func (c *Client) Close() {
	runtime.SetFinalizer(c, nil)
	C.apb_client_free(c.handle)
	c.handle = nil
}

// Call calls an operation; the error is a *CallError or an *OutcomeUnknown, or says that the call was not started.
func (c *Client) Call(ctx context.Context, operation string, request any) (*Reply, error) {
	reply, err := c.Reply(ctx, operation, request, nil)
	if err != nil {
		return nil, err
	}
	return reply, reply.err()
}

// Reply is Call with options, for which a failure is a reply too. A nil client is enough for operations such as
// parseWebhook.
func (c *Client) Reply(ctx context.Context, operation string, request, options any) (*Reply, error) {
	text, err := encoded(request)
	if err != nil {
		return nil, err
	}
	more, err := encoded(options)
	if err != nil {
		return nil, err
	}
	queue, err := theQueue()
	if err != nil {
		return nil, err
	}
	var handle *C.apb_client
	if c != nil {
		handle = c.handle
	}
	var cancel *C.apb_cancel
	if ctx.Done() != nil {
		cancel = C.apb_cancel_new()
		defer C.apb_cancel_free(cancel)
	}
	name := C.CString(operation)
	defer C.free(unsafe.Pointer(name))
	tag, done := queue.promise()
	status := C.apb_start(handle, name, pointer(text), C.size_t(len(text)), pointer(more), C.size_t(len(more)),
		queue.handle, C.uint64_t(tag), cancel)
	runtime.KeepAlive(c)
	if status != C.APB_OK {
		queue.forget(tag)
		return nil, fmt.Errorf("the call was not started: status %d", status)
	}
	select {
	case reply := <-done:
		return reply, nil
	case <-ctx.Done():
		// The completion says what is known of the effect, and comes at once.
		C.apb_cancel_set(cancel)
		return <-done, nil
	}
}

// Validate checks a request without sending it.
func Validate(operation string, request any) (*Reply, error) {
	text, err := encoded(request)
	if err != nil {
		return nil, err
	}
	name := C.CString(operation)
	defer C.free(unsafe.Pointer(name))
	var reply *C.apb_reply
	C.apb_validate(name, pointer(text), C.size_t(len(text)), &reply)
	return taken(reply), nil
}

// Describe gives the JSON Schemas of an operation, or of all for "".
func Describe(operation string) *Reply {
	var name *C.char
	if operation != "" {
		name = C.CString(operation)
		defer C.free(unsafe.Pointer(name))
	}
	var reply *C.apb_reply
	C.apb_describe(name, &reply)
	return taken(reply)
}

// LiveHandles counts what is not freed; the queue of the process is one.
func LiveHandles() int { return int(C.apb_live_handles()) }

// taken copies a reply and frees it.
func taken(reply *C.apb_reply) *Reply {
	defer C.apb_reply_free(reply)
	var length C.size_t
	text := C.apb_reply_json(reply, &length)
	out := &Reply{
		Status:       Status(C.apb_reply_status(reply)),
		Outcome:      Outcome(C.apb_reply_outcome(reply)),
		HTTPStatus:   int(C.apb_reply_http_status(reply)),
		VendorStatus: int(C.apb_reply_vendor_status(reply)),
		JSON:         C.GoBytes(unsafe.Pointer(text), C.int(length)),
	}
	if raw := C.apb_reply_raw(reply, &length); raw != nil {
		out.Raw = C.GoBytes(unsafe.Pointer(raw), C.int(length))
	}
	return out
}

func encoded(value any) ([]byte, error) {
	switch value := value.(type) {
	case nil:
		return nil, nil
	case []byte:
		return value, nil
	case string:
		return []byte(value), nil
	}
	return json.Marshal(value)
}

func pointer(text []byte) *C.char {
	if len(text) == 0 {
		return nil
	}
	return (*C.char)(unsafe.Pointer(&text[0]))
}

// queue has the calls in flight of this process, by tag.
type queue struct {
	handle  *C.apb_queue
	mutex   sync.Mutex
	last    uint64
	waiting map[uint64]chan *Reply
}

var (
	one     *queue
	oneErr  error
	oneOnce sync.Once
)

func (q *queue) promise() (uint64, chan *Reply) {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	q.last++
	done := make(chan *Reply, 1)
	q.waiting[q.last] = done
	return q.last, done
}

func (q *queue) forget(tag uint64) chan *Reply {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	done := q.waiting[tag]
	delete(q.waiting, tag)
	return done
}

// drain hands out all completions that are there.
func (q *queue) drain() {
	for {
		var tag C.uint64_t
		var reply *C.apb_reply
		if C.apb_queue_next(q.handle, 0, &tag, &reply) != C.APB_OK {
			return
		}
		q.forget(uint64(tag)) <- taken(reply)
	}
}
