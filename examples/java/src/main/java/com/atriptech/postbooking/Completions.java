package com.atriptech.postbooking;

import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.atomic.AtomicLong;

/** The calls in flight, and the one thread that takes their replies. Threads that wait, also virtual ones, park. */
final class Completions {
    private static final Map<Long, Call> WAITING = new ConcurrentHashMap<>();
    private static final AtomicLong LAST = new AtomicLong();
    private static final long QUEUE = NativeLibrary.queueNew();

    static {
        if (QUEUE == 0) {
            throw new IllegalStateException("no queue: no descriptors or no memory left");
        }
        Thread thread = new Thread(Completions::run, "atlas-postbooking");
        thread.setDaemon(true);
        thread.start();
    }

    private Completions() {
    }

    /** A call in flight; cancel() cancels the call, and the future still gets the reply that says what is known. */
    private static final class Call extends CompletableFuture<Reply> {
        private final long token = NativeLibrary.cancelNew();

        @Override
        public synchronized boolean cancel(boolean mayInterrupt) {
            if (!isDone()) {
                NativeLibrary.cancelSet(token);
            }
            return false;
        }

        @Override
        public <T> CompletableFuture<T> newIncompleteFuture() {
            return new Dependent<>(this);
        }

        synchronized void end(Reply reply) {
            NativeLibrary.cancelFree(token);
            // What depends on it runs on the pool, not on the thread that takes the replies.
            completeAsync(() -> reply, ForkJoinPool.commonPool());
        }
    }

    /** What depends on a call: cancelling it cancels the call, and it gets what the reply says. */
    private static final class Dependent<T> extends CompletableFuture<T> {
        private final Call call;

        Dependent(Call call) {
            this.call = call;
        }

        @Override
        public boolean cancel(boolean mayInterrupt) {
            return call.cancel(mayInterrupt);
        }

        @Override
        public <U> CompletableFuture<U> newIncompleteFuture() {
            return new Dependent<>(call);
        }
    }

    static CompletableFuture<Reply> start(long client, String operation, byte[] request, byte[] options) {
        Call call = new Call();
        long tag = LAST.incrementAndGet();
        WAITING.put(tag, call);
        int status = NativeLibrary.start(client, operation, request, options, QUEUE, tag, call.token);
        if (status != Status.OK) {
            WAITING.remove(tag);
            NativeLibrary.cancelFree(call.token);
            return CompletableFuture.failedFuture(new CompletionException(
                    "the call was not started: status " + status, null));
        }
        return call;
    }

    private static void run() {
        long[] next = new long[2];
        while (NativeLibrary.queueNext(QUEUE, -1, next) == Status.OK) {
            WAITING.remove(next[0]).end(new Reply(next[1]));
        }
    }
}
