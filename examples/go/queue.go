package atlas

// #include "atlas_postbooking.h"
import "C"

import (
	"errors"
	"os"
	"syscall"
)

// theQueue makes the queue on first use, and a goroutine that waits on its descriptor in the runtime's poller.
func theQueue() (*queue, error) {
	oneOnce.Do(func() {
		one = &queue{waiting: map[uint64]chan *Reply{}}
		if C.apb_queue_new(&one.handle) != C.APB_OK {
			oneErr = errors.New("no queue: no descriptors or no memory left")
			return
		}
		// os.File closes what it is given when it is collected, so it gets a dup.
		var fd int
		if fd, oneErr = syscall.Dup(int(C.apb_queue_fd(one.handle))); oneErr != nil {
			return
		}
		syscall.CloseOnExec(fd)
		if oneErr = syscall.SetNonblock(fd, true); oneErr != nil {
			return
		}
		file := os.NewFile(uintptr(fd), "atlas-postbooking")
		conn, err := file.SyscallConn()
		if oneErr = err; err == nil {
			go func() {
				// Never done: it is called again each time that the descriptor is readable.
				_ = conn.Read(func(uintptr) bool { one.drain(); return false })
				_ = file.Close()
			}()
		}
	})
	return one, oneErr
}
