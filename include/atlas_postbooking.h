/*
 * atlas_postbooking.h - post-booking calls of the Atlas flight API: refunds, voids, ancillaries.
 *
 * A NEGATIVE STATUS DOES NOT MEAN THAT NOTHING HAPPENED. These calls move money and cannot be
 * withdrawn. Ask apb_reply_outcome(): APB_EXECUTED, APB_NOT_EXECUTED, or honestly APB_UNKNOWN. On
 * APB_UNKNOWN query the vendor before anything else (the reply's error.next names the operation) and
 * never send the submit again: it may have been accepted.
 *
 * This file is generated from ffi-c/src by cbindgen and checked in. It is C89 to C2x and C++98 to
 * C++23, and may be included twice.
 *
 *   apb_client *client = NULL;  apb_reply *reply = NULL;
 *   if (apb_client_new("{\"baseUrl\":\"https://...\",\"clientId\":\"...\",\"clientSecret\":\"...\"}",
 *                      APB_ZSTR, &client, &reply) != APB_OK) { puts(apb_reply_message(reply)); ... }
 *   apb_void_quotation(client, "{\"orderNo\":\"...\"}", APB_ZSTR, &reply);
 *   puts(apb_reply_json(reply, NULL));
 *   apb_reply_free(reply);  apb_client_free(client);
 *
 * CALLING CONVENTION
 *   Functions return apb_status: 0 is APB_OK, negative numbers are faults. Results come through out_
 *   parameters, which are last and are set to NULL first. A reply comes with every status, also a bad
 *   one, unless out_reply itself is NULL (then nothing was sent) or memory ran out.
 *   Every function takes NULL where a pointer is expected, and answers it.
 *
 * TEXT
 *   All text is UTF-8. Texts go in as pointer and length in bytes; APB_ZSTR as length means
 *   NUL-terminated; (NULL,0) is the empty text. Bad UTF-8 is APB_E_UTF8. Texts come out with a
 *   length and a NUL behind it.
 *
 * OWNERSHIP                          made by                      freed by
 *   apb_client *                     apb_client_new               apb_client_free
 *   apb_reply *                      every call (out_reply)       apb_reply_free
 *   apb_cancel *                     apb_cancel_new               apb_cancel_free
 *   texts of a reply                 the reply                    apb_reply_free of that reply
 *   apb_version, apb_status_name     the library (static)         nobody
 *   Never free() anything of this library. apb_live_handles() counts what is not freed.
 *
 * REPLY
 *   {"ok":...,"operation":...,"outcome":"executed|not_executed|unknown","data":{...},
 *    "error":{"code":...,"status":...,"message":...,"help":...,"advice":...,"next":...,...},
 *    "warnings":[...],"meta":{"httpStatus":...,"vendorStatus":...,"attempts":...,...}}
 *   data has the vendor's field names with one type per field: amounts are decimal strings ("84.70",
 *   never a float), dates and times ISO 8601, flags true/false, codes numbers. Documented keys are
 *   always there, null if absent; unknown keys follow with their exact tokens. The same bytes come
 *   out in every language. apb_describe() gives JSON Schemas of every request and reply.
 *
 * CONFIGURATION (JSON; a misspelt key is APB_E_CONFIG)
 *   baseUrl (https, plain http for loopback only), clientId, clientSecret: required.
 *   timeoutMs (null: 150000 for submits, extractPnr its timeout + 5000, else 30000),
 *   connectTimeoutMs 5000, userAgent, accept (any type), proxy null | url | "env", caFile, caMode
 *   "replace" | "add", clientCertFile, clientKeyFile, maxResponseBytes 67108864, maxConnections 64,
 *   retry {maxAttempts 3, baseDelayMs 200, maxDelayMs 5000} (reads and quotes; a submit is never
 *   sent twice), rateLimit null | {perSecond, burst}, maxInFlight 1024.
 *   Of cases: store null | {path}, settleMs 180000, offerMaxAgeMs {void 60000, refund 5400000},
 *   follow {perSecond 2, burst 5}; for tests, clock null | {fixed} | {url}.
 *   Options of a call (JSON): timeoutMs, retry, headers, clientRequestId, allowUnknown.
 *
 * CASES
 *   A case is one refund, void, ancillary order (with its payment), rebuilt order, stop, or claim, from
 *   the intention to the final state, kept in a store: submitted once, followed to its end, whatever
 *   crashes in between. With "store":{"path":"/var/lib/you/atlas.db"} in the configuration:
 *
 *     apb_case_open(client, "{\"kind\":\"cancel\",\"orderNo\":\"...\",\"key\":\"k-7\"}", APB_ZSTR, &reply);
 *     apb_case_follow(client, "{\"key\":\"k-7\",\"until\":\"final\"}", APB_ZSTR, &reply);
 *     apb_case_get(client, "{\"key\":\"k-7\"}", APB_ZSTR, &reply);      the reply's "case" is the case
 *
 *   Kinds: refund, void, cancel (a void while that is open, else a refund), ancillary, regenerate,
 *   stop, claim. apb_case_open() fills the vendor's lists itself, asks for a fresh offer, holds it
 *   against "expect" (minRefund, maxFee, maxPrice ...; APB_E_GUARD: refused before money moved),
 *   writes down what it is going to do, and only then sends, once. apb_case_plan() shows both ways
 *   and submits nothing.
 *   The key is yours: name the intention (your own booking's or ticket's number), not the attempt. The
 *   same key and content are the same case for ever; the same key with other content is
 *   APB_E_CONFLICT, and so is a second open case on one order.
 *   After a crash make the client again and call apb_case_open() with the same key: a case that had
 *   not been sent yet goes on, one that had is not sent again but asked about, and the answer
 *   is the case as it is. Cards are never stored: without one in the request, a resumed case stops at
 *   awaiting_payment.
 *   Outcome and state are two things. "outcome" is pending, executed, not_executed or unknown: did the
 *   submit happen? "state" is how far the vendor is (atlas_processing ... refunded, rejected ...).
 *   "final" true means that nothing more is expected; it is never true while the outcome is unknown.
 *   (Should an effect show up that had been given up, the case is open again, with "reopened" true.)
 *   UNKNOWN means that the answer to the submit was lost and that the vendor has not said yet whether
 *   it knows it. It is neither a success nor a failure: do not submit by other means. Follow-up and
 *   apb_case_reconcile() ask; "not there" counts only after settleMs and two clear answers. What cannot
 *   be found out stays unknown (needs_human) until a person has looked and apb_case_resolve() says so.
 *   Calls of apb_void(), apb_refund() ... with a store are cases of one step, with the same protection;
 *   without one their reply has the warning not_journaled.
 *   Notifications are unsigned: apb_case_notify() makes the query of a case due and changes nothing.
 *   The store is one SQLite file of mode 0600 on a local file system (not NFS), made when it is not
 *   there. Any number of threads and processes of this machine share it, and its request budget; of
 *   two that open the same key, one sends. Two accounts in one store do not see each other's cases.
 *   Without a store these functions answer APB_E_STORE (store_missing), and so does every submit of a
 *   client whose store cannot be opened or written: nothing leaves that could not be written down.
 *
 * THREADS
 *   A client may be used by any number of threads at once, and freed while others use it (their calls
 *   go on). A reply belongs to one thread at a time. The first call starts one I/O thread of ours.
 *
 * FORK
 *   After fork() parent and child may both go on using a client, if no other thread was inside the
 *   library at that moment: the child opens its own connections, to the store as well. Calls in flight
 *   are the parent's, and cancel tokens made before are stale in the child.
 *
 * SIGNALS, UNLOADING, OUTPUT
 *   No signal handler is installed, SIGPIPE is never raised, interrupted system calls are repeated.
 *   The library cannot be unloaded: dlclose() leaves it in place, since it owns a thread.
 *   It never prints, never exits, and reads the environment only with proxy "env". A panic inside
 *   becomes APB_E_PANIC; it does not cross into your code.
 *
 * SECRETS
 *   The configuration text is not kept. The client secret is in no message, and is wiped when the client
 *   goes. Should the vendor echo it (six characters or more), a reply's JSON has *** instead.
 *
 * TWO RUST LIBRARIES IN ONE PROGRAM
 *   Link the shared library. Two Rust static archives in one program clash at link time.
 */
#ifndef ATLAS_POSTBOOKING_H
#define ATLAS_POSTBOOKING_H


#include <stddef.h>
#include <stdint.h>

/* As a length: the text is NUL-terminated. */
#define APB_ZSTR ((size_t)-1)

/* apb_reply_vendor_status() of a reply without one. */
#define APB_NO_VENDOR_STATUS (-2147483647 - 1)

#ifdef __cplusplus
extern "C" {
#endif


/**
 * The ABI that this header describes; see apb_abi_version().
 */
#define APB_ABI_VERSION 1

/**
 * A cancel token. Sticky; shared by any number of calls. The value is an id, not an address.
 */
typedef struct apb_cancel apb_cancel;

/**
 * A client: a configuration with its connections. Any number of threads may use one at once.
 * The value is an id, not an address: a freed or invented one is answered with APB_E_HANDLE.
 */
typedef struct apb_client apb_client;

/**
 * What came of a call. Read it with the apb_reply_ functions, free it with apb_reply_free().
 */
typedef struct apb_reply apb_reply;

/**
 * 0 is APB_OK, negative numbers are faults. New ones may be added, none changes its meaning.
 * A negative status does NOT mean that nothing happened: that is what apb_outcome says.
 */
typedef int32_t apb_status;

/**
 * Receives one log line. Called on the thread of the call that the line is about, before that call
 * returns; it may call the library, but must return: no exception, no longjmp. message is UTF-8 with a NUL behind its len bytes; both texts
 * live until the receiver returns. level is 1 error, 2 warning, 3 info, 4 debug, 5 trace.
 */
typedef void (*apb_log_fn)(void *user_data,
                           int32_t level,
                           const char *target,
                           const char *message,
                           size_t len);

/**
 * Does the effect asked for exist at the vendor? Zeroed memory is honest.
 */
typedef int32_t apb_outcome;

/**
 * Success.
 */
#define APB_OK 0

/**
 * A required pointer is NULL.
 */
#define APB_E_NULL (-1)

/**
 * A text is not UTF-8.
 */
#define APB_E_UTF8 (-2)

/**
 * A text is not JSON.
 */
#define APB_E_JSON (-3)

/**
 * The request cannot be sent as it is; the reply names the field.
 */
#define APB_E_REQUEST (-4)

/**
 * The configuration cannot be used; the reply names the key.
 */
#define APB_E_CONFIG (-5)

/**
 * There is no operation of that name.
 */
#define APB_E_OPERATION (-6)

/**
 * The handle is stale, freed, or none.
 */
#define APB_E_HANDLE (-7)

/**
 * The queue is closed.
 */
#define APB_E_CLOSED (-8)

/**
 * Called from within the library's own thread.
 */
#define APB_E_BUSY (-9)

/**
 * The host name could not be resolved.
 */
#define APB_E_DNS (-20)

/**
 * No connection could be made.
 */
#define APB_E_CONNECT (-21)

/**
 * The TLS handshake failed.
 */
#define APB_E_TLS (-22)

/**
 * The proxy refused or could not be reached.
 */
#define APB_E_PROXY (-23)

/**
 * No answer in time.
 */
#define APB_E_TIMEOUT (-24)

/**
 * Cancelled by the caller.
 */
#define APB_E_CANCELLED (-25)

/**
 * The connection broke.
 */
#define APB_E_IO (-26)

/**
 * An HTTP status without the vendor's answer.
 */
#define APB_E_HTTP (-40)

/**
 * Too many requests; the reply says how long to wait.
 */
#define APB_E_RATE_LIMITED (-41)

/**
 * Credentials, permissions, or a feature that is not enabled.
 */
#define APB_E_AUTH (-42)

/**
 * The vendor said no with a known code: it was not executed.
 */
#define APB_E_REFUSED (-43)

/**
 * The answer makes no sense.
 */
#define APB_E_RESPONSE (-44)

/**
 * The answer is larger than maxResponseBytes.
 */
#define APB_E_TOO_LARGE (-45)

/**
 * There is no such order or booking.
 */
#define APB_E_NOT_FOUND (-46)

/**
 * The vendor answered, but what it means is unknown.
 */
#define APB_E_UNCERTAIN (-47)

/**
 * It was submitted before: executed, by whomever.
 */
#define APB_E_ALREADY (-48)

/**
 * An earlier submit is being worked on.
 */
#define APB_E_IN_PROGRESS (-49)

/**
 * The store failed.
 */
#define APB_E_STORE (-60)

/**
 * Another case stands in the way.
 */
#define APB_E_CONFLICT (-61)

/**
 * A guard refused before money moved.
 */
#define APB_E_GUARD (-62)

/**
 * Out of memory.
 */
#define APB_E_MEMORY (-90)

/**
 * A fault of this library.
 */
#define APB_E_INTERNAL (-91)

/**
 * A panic of this library that was caught.
 */
#define APB_E_PANIC (-92)

/**
 * It may have happened. Query before anything else; never send again.
 */
#define APB_UNKNOWN 0

/**
 * It happened. For reads and quotes: the call succeeded.
 */
#define APB_EXECUTED 1

/**
 * It provably did not happen.
 */
#define APB_NOT_EXECUTED 2

/**
 * The ABI version of the loaded library: compare it with `APB_ABI_VERSION` before the first call.
 * It grows only on a break; additions leave it as it is.
 */
uint32_t apb_abi_version(void);

/**
 * The version of the loaded library, as static text.
 */
const char *apb_version(void);

/**
 * The name of a status, "APB_E_TIMEOUT" for -24, as static text; "APB_E_?" for unknown numbers.
 */
const char *apb_status_name(apb_status status);

/**
 * How many clients, replies and cancel tokens exist that were not freed. For leak checks at the end of a program.
 */
uint64_t apb_live_handles(void);

/**
 * Makes a client from a JSON configuration. Nothing is sent and no thread is started.
 *
 * config_json, len: the configuration; see "Configuration" above. Not kept, wipe it if you like.
 * out_client: receives the client; NULL on failure. Free it with apb_client_free().
 * out_reply: may be NULL; receives a reply on failure only, which names the key that is wrong.
 * Returns APB_OK, APB_E_NULL, APB_E_UTF8, APB_E_JSON or APB_E_CONFIG.
 */
apb_status apb_client_new(const char *config_json,
                          size_t len,
                          apb_client **out_client,
                          apb_reply **out_reply);

/**
 * Frees a client. NULL, stale and freed handles are fine. It returns at once; calls that are under
 * way in other threads go on to their end.
 */
void apb_client_free(apb_client *client);

/**
 * Sets or (with NULL) removes the receiver of a client's log lines.
 *
 * receiver: see apb_log_fn; user_data is handed to it and must outlive the client's last call.
 * max_level: 1 error to 5 trace; lines above it are not made. 0 or less: none.
 * Lines hold no body, header, secret, card or passenger.
 * Returns APB_OK, APB_E_NULL or APB_E_HANDLE.
 */
apb_status apb_client_set_log(apb_client *client,
                              apb_log_fn receiver,
                              void *user_data,
                              int32_t max_level);

/**
 * Makes a cancel token; NULL only if there are millions. Free it with apb_cancel_free().
 */
apb_cancel *apb_cancel_new(void);

/**
 * Cancels every call that uses the token, now and later. From any thread, also from a signal
 * handler: it only touches atomics. NULL, stale and freed tokens are ignored.
 *
 * A call that is cancelled before its request was taken ends as APB_NOT_EXECUTED, any other submit
 * as APB_UNKNOWN; apb_reply_outcome() says which.
 */
void apb_cancel_set(const apb_cancel *cancel);

/**
 * Frees a token. NULL, stale and freed ones are fine. Calls that use it go on, and stay cancelled if
 * it was set.
 */
void apb_cancel_free(apb_cancel *cancel);

/**
 * Calls an operation by its name and waits for the end.
 *
 * client: may be NULL for parseWebhook only.
 * operation: NUL-terminated, "refundQuotation", "void" ...
 * request_json, len: the request with the vendor's field names; (NULL,0) is {}.
 * options_json, options_len: options of this call; (NULL,0) for none.
 * cancel: a token from apb_cancel_new(), or NULL.
 * out_reply: receives the reply, always, and with every status; must not be NULL, else nothing is
 * sent and APB_E_NULL comes back. Free it with apb_reply_free().
 * Returns the status of the reply. Whether it happened is apb_reply_outcome().
 */
apb_status apb_call(const apb_client *client,
                    const char *operation,
                    const char *request_json,
                    size_t len,
                    const char *options_json,
                    size_t options_len,
                    const apb_cancel *cancel,
                    apb_reply **out_reply);

/**
 * Checks a request as a call would, without sending anything: `data` is {valid, body}, the body as
 * it would be sent. Arguments as in apb_call().
 */
apb_status apb_validate(const char *operation,
                        const char *request_json,
                        size_t len,
                        apb_reply **out_reply);

/**
 * Describes one operation, or all of them for NULL: names, documentation, JSON Schemas of request
 * and reply, vendor codes. `data.operations` has the list.
 */
apb_status apb_describe(const char *operation, apb_reply **out_reply);

/**
 * postBookingAncillarySearch: which baggage can still be bought for a ticketed order (quote).
 */
apb_status apb_post_booking_ancillary_search(const apb_client *client,
                                             const char *request_json,
                                             size_t len,
                                             apb_reply **out_reply);

/**
 * postBookingAncillaryOrder: orders baggage after ticketing; the new order is unpaid (submit).
 */
apb_status apb_post_booking_ancillary_order(const apb_client *client,
                                            const char *request_json,
                                            size_t len,
                                            apb_reply **out_reply);

/**
 * refundQuotation: what a refund would give back (quote).
 */
apb_status apb_refund_quotation(const apb_client *client,
                                const char *request_json,
                                size_t len,
                                apb_reply **out_reply);

/**
 * refund: submits a refund, which cannot be withdrawn (submit).
 */
apb_status apb_refund(const apb_client *client,
                      const char *request_json,
                      size_t len,
                      apb_reply **out_reply);

/**
 * queryRefundOrders: how refunds stand (read).
 */
apb_status apb_query_refund_orders(const apb_client *client,
                                   const char *request_json,
                                   size_t len,
                                   apb_reply **out_reply);

/**
 * voidQuotation: whether an order can be voided (quote).
 */
apb_status apb_void_quotation(const apb_client *client,
                              const char *request_json,
                              size_t len,
                              apb_reply **out_reply);

/**
 * void: submits a void, which cannot be withdrawn (submit).
 */
apb_status apb_void(const apb_client *client,
                    const char *request_json,
                    size_t len,
                    apb_reply **out_reply);

/**
 * queryVoidOrders: how voids stand (read).
 */
apb_status apb_query_void_orders(const apb_client *client,
                                 const char *request_json,
                                 size_t len,
                                 apb_reply **out_reply);

/**
 * regenerateOrder: builds a new order from an expired or cancelled one (submit).
 */
apb_status apb_regenerate_order(const apb_client *client,
                                const char *request_json,
                                size_t len,
                                apb_reply **out_reply);

/**
 * stopTicket: tries to stop the issuing of a paid order; look at the order after 8 minutes (submit).
 */
apb_status apb_stop_ticket(const apb_client *client,
                           const char *request_json,
                           size_t len,
                           apb_reply **out_reply);

/**
 * orderList: lists orders, newest first (read).
 */
apb_status apb_order_list(const apb_client *client,
                          const char *request_json,
                          size_t len,
                          apb_reply **out_reply);

/**
 * pnrClaim: brings a booking made elsewhere under Atlas' management (submit).
 */
apb_status apb_pnr_claim(const apb_client *client,
                         const char *request_json,
                         size_t len,
                         apb_reply **out_reply);

/**
 * extractPnr: a booking at the airline as it is now (read).
 */
apb_status apb_extract_pnr(const apb_client *client,
                           const char *request_json,
                           size_t len,
                           apb_reply **out_reply);

/**
 * queryOrderDetails: one order: the truth about it (read).
 */
apb_status apb_query_order_details(const apb_client *client,
                                   const char *request_json,
                                   size_t len,
                                   apb_reply **out_reply);

/**
 * pay: pays a main, regenerated or ancillary order; never repeat it blindly (submit).
 */
apb_status apb_pay(const apb_client *client,
                   const char *request_json,
                   size_t len,
                   apb_reply **out_reply);

/**
 * balance: the deposit (read).
 */
apb_status apb_balance(const apb_client *client,
                       const char *request_json,
                       size_t len,
                       apb_reply **out_reply);

/**
 * updateWebhookURL: registers the address of notifications (submit, repeatable).
 */
apb_status apb_update_webhook_url(const apb_client *client,
                                  const char *request_json,
                                  size_t len,
                                  apb_reply **out_reply);

/**
 * parseWebhook: reads a notification; the request is its body; client may be NULL; no network.
 */
apb_status apb_parse_webhook(const apb_client *client,
                             const char *request_json,
                             size_t len,
                             apb_reply **out_reply);

/**
 * case.plan: what a void and what a refund of an order would give back, until when, and which is
 * better. Submits nothing (read).
 *
 * request: {"orderNo":...}
 */
apb_status apb_case_plan(const apb_client *client,
                         const char *request_json,
                         size_t len,
                         apb_reply **out_reply);

/**
 * case.open: starts a case, or resumes the one with this key; submits at most once (submit).
 *
 * request: {"kind":"refund|void|cancel|ancillary|regenerate|stop|claim","orderNo":...,"key":...} and,
 * as the kind wants, reason, passengers, offerId, products, payment, expect, after. The same key and
 * the same content are the same case for ever, so a program that was killed calls this again.
 */
apb_status apb_case_open(const apb_client *client,
                         const char *request_json,
                         size_t len,
                         apb_reply **out_reply);

/**
 * case.get: a case as the store has it; asks nobody (local).
 *
 * request: {"id":...} or {"key":...}
 */
apb_status apb_case_get(const apb_client *client,
                        const char *request_json,
                        size_t len,
                        apb_reply **out_reply);

/**
 * case.list: the cases of this account, oldest first; asks nobody (local).
 *
 * request: {"open":...,"orderNo":...,"kind":...,"after":...,"limit":...}, all optional. data.next is
 * the `after` of the next page, null at the end.
 */
apb_status apb_case_list(const apb_client *client,
                         const char *request_json,
                         size_t len,
                         apb_reply **out_reply);

/**
 * case.reconcile: asks the vendor now what became of a case, or of all whose outcome is unknown.
 * Submits nothing (read).
 *
 * request: {"id":...}, {"key":...} or {"all":true}
 */
apb_status apb_case_reconcile(const apb_client *client,
                              const char *request_json,
                              size_t len,
                              apb_reply **out_reply);

/**
 * case.follow: follows one case, or all open ones, within the budget of the follow-up. Submits
 * nothing (read).
 *
 * request: {"id":...}, {"key":...} or {"all":true}, with "until":"step" (what is due now) or "final"
 * (until nothing is open, or timeoutMs is over). data is {done, due, open, nextDueAt, budget}.
 */
apb_status apb_case_follow(const apb_client *client,
                           const char *request_json,
                           size_t len,
                           apb_reply **out_reply);

/**
 * case.notify: takes a notification of the vendor. It proves nothing, since nobody signs it: it
 * makes a query of its case due, which the next apb_case_follow() makes (local).
 *
 * request: {"body":...}, the notification's body as JSON or as text
 */
apb_status apb_case_notify(const apb_client *client,
                           const char *request_json,
                           size_t len,
                           apb_reply **out_reply);

/**
 * case.resolve: a human's verdict on a case whose outcome is unknown, or the code that a lost reply
 * took with it (local).
 *
 * request: {"id":...,"as":"executed|not_executed","by":...,"evidence":...}; evidence is a text or
 * {"text":...,"code":...}
 */
apb_status apb_case_resolve(const apb_client *client,
                            const char *request_json,
                            size_t len,
                            apb_reply **out_reply);

/**
 * case.export: cases as newline-delimited JSON in data.ndjson, without secrets, cards and
 * passengers (local).
 *
 * request: as in apb_case_list()
 */
apb_status apb_case_export(const apb_client *client,
                           const char *request_json,
                           size_t len,
                           apb_reply **out_reply);

/**
 * case.purge: removes final cases that did not change for long; their keys stay used (local).
 *
 * request: {"olderThan":"90d"}, or a moment with its offset
 */
apb_status apb_case_purge(const apb_client *client,
                          const char *request_json,
                          size_t len,
                          apb_reply **out_reply);

/**
 * The reply as JSON, NUL-terminated too; lives until apb_reply_free(). NULL for NULL.
 * `out_len` may be NULL; else it receives the length without the NUL.
 */
const char *apb_reply_json(const apb_reply *reply, size_t *out_len);

/**
 * The vendor's bytes as received, decompressed; partial if the answer was cut; NULL if none began.
 * They are followed by a NUL that `out_len` does not count, and may contain NULs.
 */
const char *apb_reply_raw(const apb_reply *reply, size_t *out_len);

/**
 * The status of the call; APB_E_NULL for NULL.
 */
apb_status apb_reply_status(const apb_reply *reply);

/**
 * Did it happen? APB_UNKNOWN for NULL.
 */
apb_outcome apb_reply_outcome(const apb_reply *reply);

/**
 * The HTTP status of the answer; 0 if none came, or for NULL.
 */
int32_t apb_reply_http_status(const apb_reply *reply);

/**
 * The vendor's status number; APB_NO_VENDOR_STATUS if none was read, or for NULL.
 */
int32_t apb_reply_vendor_status(const apb_reply *reply);

/**
 * What went wrong, for a human, in English; "" on success; NULL for NULL. Lives until apb_reply_free().
 */
const char *apb_reply_message(const apb_reply *reply);

/**
 * Frees a reply and every text taken from it. NULL is fine.
 */
void apb_reply_free(apb_reply *reply);

#ifdef __cplusplus
}
#endif

#endif /* ATLAS_POSTBOOKING_H */
