//! One named function per operation: each is apb_call() with that name and without options. Those of
//! the case operations are in `cases.rs`. The list is tested against the operation table.

use std::ffi::c_char;

use crate::call::named;
use crate::client::apb_client;
use crate::consts::apb_status;
use crate::reply::{answer, apb_reply};

/// postBookingAncillarySearch: which baggage can still be bought for a ticketed order (quote).
///
/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_post_booking_ancillary_search(
    client: *const apb_client,
    request_json: *const c_char,
    len: usize,
    out_reply: *mut *mut apb_reply,
) -> apb_status {
    // SAFETY: the caller's promises about the text and the pointer.
    unsafe {
        answer("postBookingAncillarySearch", out_reply, || {
            named(client, b"postBookingAncillarySearch", request_json, len)
        })
    }
}

/// postBookingAncillaryOrder: orders baggage after ticketing; the new order is unpaid (submit).
///
/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_post_booking_ancillary_order(
    client: *const apb_client,
    request_json: *const c_char,
    len: usize,
    out_reply: *mut *mut apb_reply,
) -> apb_status {
    // SAFETY: the caller's promises about the text and the pointer.
    unsafe {
        answer("postBookingAncillaryOrder", out_reply, || {
            named(client, b"postBookingAncillaryOrder", request_json, len)
        })
    }
}

/// refundQuotation: what a refund would give back (quote).
///
/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_refund_quotation(
    client: *const apb_client,
    request_json: *const c_char,
    len: usize,
    out_reply: *mut *mut apb_reply,
) -> apb_status {
    // SAFETY: the caller's promises about the text and the pointer.
    unsafe { answer("refundQuotation", out_reply, || named(client, b"refundQuotation", request_json, len)) }
}

/// refund: submits a refund, which cannot be withdrawn (submit).
///
/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_refund(
    client: *const apb_client,
    request_json: *const c_char,
    len: usize,
    out_reply: *mut *mut apb_reply,
) -> apb_status {
    // SAFETY: the caller's promises about the text and the pointer.
    unsafe { answer("refund", out_reply, || named(client, b"refund", request_json, len)) }
}

/// queryRefundOrders: how refunds stand (read).
///
/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_query_refund_orders(
    client: *const apb_client,
    request_json: *const c_char,
    len: usize,
    out_reply: *mut *mut apb_reply,
) -> apb_status {
    // SAFETY: the caller's promises about the text and the pointer.
    unsafe { answer("queryRefundOrders", out_reply, || named(client, b"queryRefundOrders", request_json, len)) }
}

/// voidQuotation: whether an order can be voided (quote).
///
/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_void_quotation(
    client: *const apb_client,
    request_json: *const c_char,
    len: usize,
    out_reply: *mut *mut apb_reply,
) -> apb_status {
    // SAFETY: the caller's promises about the text and the pointer.
    unsafe { answer("voidQuotation", out_reply, || named(client, b"voidQuotation", request_json, len)) }
}

/// void: submits a void, which cannot be withdrawn (submit).
///
/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_void(
    client: *const apb_client,
    request_json: *const c_char,
    len: usize,
    out_reply: *mut *mut apb_reply,
) -> apb_status {
    // SAFETY: the caller's promises about the text and the pointer.
    unsafe { answer("void", out_reply, || named(client, b"void", request_json, len)) }
}

/// queryVoidOrders: how voids stand (read).
///
/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_query_void_orders(
    client: *const apb_client,
    request_json: *const c_char,
    len: usize,
    out_reply: *mut *mut apb_reply,
) -> apb_status {
    // SAFETY: the caller's promises about the text and the pointer.
    unsafe { answer("queryVoidOrders", out_reply, || named(client, b"queryVoidOrders", request_json, len)) }
}

/// regenerateOrder: builds a new order from an expired or cancelled one (submit).
///
/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_regenerate_order(
    client: *const apb_client,
    request_json: *const c_char,
    len: usize,
    out_reply: *mut *mut apb_reply,
) -> apb_status {
    // SAFETY: the caller's promises about the text and the pointer.
    unsafe { answer("regenerateOrder", out_reply, || named(client, b"regenerateOrder", request_json, len)) }
}

/// stopTicket: tries to stop the issuing of a paid order; look at the order after 8 minutes (submit).
///
/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_stop_ticket(
    client: *const apb_client,
    request_json: *const c_char,
    len: usize,
    out_reply: *mut *mut apb_reply,
) -> apb_status {
    // SAFETY: the caller's promises about the text and the pointer.
    unsafe { answer("stopTicket", out_reply, || named(client, b"stopTicket", request_json, len)) }
}

/// orderList: lists orders, newest first (read).
///
/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_order_list(
    client: *const apb_client,
    request_json: *const c_char,
    len: usize,
    out_reply: *mut *mut apb_reply,
) -> apb_status {
    // SAFETY: the caller's promises about the text and the pointer.
    unsafe { answer("orderList", out_reply, || named(client, b"orderList", request_json, len)) }
}

/// pnrClaim: brings a booking made elsewhere under Atlas' management (submit).
///
/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_pnr_claim(
    client: *const apb_client,
    request_json: *const c_char,
    len: usize,
    out_reply: *mut *mut apb_reply,
) -> apb_status {
    // SAFETY: the caller's promises about the text and the pointer.
    unsafe { answer("pnrClaim", out_reply, || named(client, b"pnrClaim", request_json, len)) }
}

/// extractPnr: a booking at the airline as it is now (read).
///
/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_extract_pnr(
    client: *const apb_client,
    request_json: *const c_char,
    len: usize,
    out_reply: *mut *mut apb_reply,
) -> apb_status {
    // SAFETY: the caller's promises about the text and the pointer.
    unsafe { answer("extractPnr", out_reply, || named(client, b"extractPnr", request_json, len)) }
}

/// queryOrderDetails: one order: the truth about it (read).
///
/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_query_order_details(
    client: *const apb_client,
    request_json: *const c_char,
    len: usize,
    out_reply: *mut *mut apb_reply,
) -> apb_status {
    // SAFETY: the caller's promises about the text and the pointer.
    unsafe { answer("queryOrderDetails", out_reply, || named(client, b"queryOrderDetails", request_json, len)) }
}

/// pay: pays a main, regenerated or ancillary order; never repeat it blindly (submit).
///
/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_pay(
    client: *const apb_client,
    request_json: *const c_char,
    len: usize,
    out_reply: *mut *mut apb_reply,
) -> apb_status {
    // SAFETY: the caller's promises about the text and the pointer.
    unsafe { answer("pay", out_reply, || named(client, b"pay", request_json, len)) }
}

/// balance: the deposit (read).
///
/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_balance(
    client: *const apb_client,
    request_json: *const c_char,
    len: usize,
    out_reply: *mut *mut apb_reply,
) -> apb_status {
    // SAFETY: the caller's promises about the text and the pointer.
    unsafe { answer("balance", out_reply, || named(client, b"balance", request_json, len)) }
}

/// updateWebhookURL: registers the address of notifications (submit, repeatable).
///
/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_update_webhook_url(
    client: *const apb_client,
    request_json: *const c_char,
    len: usize,
    out_reply: *mut *mut apb_reply,
) -> apb_status {
    // SAFETY: the caller's promises about the text and the pointer.
    unsafe { answer("updateWebhookURL", out_reply, || named(client, b"updateWebhookURL", request_json, len)) }
}

/// parseWebhook: reads a notification; the request is its body; client may be NULL; no network.
///
/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_parse_webhook(
    client: *const apb_client,
    request_json: *const c_char,
    len: usize,
    out_reply: *mut *mut apb_reply,
) -> apb_status {
    // SAFETY: the caller's promises about the text and the pointer.
    unsafe { answer("parseWebhook", out_reply, || named(client, b"parseWebhook", request_json, len)) }
}
