//! regenerateOrder, stopTicket, orderList (OF, 2026-04).

use super::message::message;
use super::shape::Kind;
use super::value::{Code, Date, Instant, Number};
use super::{Amount, Clock, PassengerTicket, PaymentOption, Routing};

message! {
    /// Builds a new order from an expired or cancelled one, at today's price. Every success is another order.
    RegenerateOrderRequest {
        /// The order to rebuild (at most 24 hours old, by older documentation).
        original_order_no "originalOrderNo": Option<String>, required, loggable;
    }

    /// The new, unpaid order.
    RegenerateOrderReply {
        /// The new order; two numbers joined by a comma for split round trips.
        order_no "orderNo": Option<String> => Kind::Joined, loggable, retained;
        /// Atlas PNR of the new order.
        pnr_code "pnrCode": Option<String> => Kind::Joined, loggable;
        /// Echo (undocumented).
        original_order_no "originalOrderNo": Option<String>, loggable, retained;
        /// Undocumented, null when seen.
        ticket_order_no "ticketOrderNo": Option<String>, loggable, retained;
        /// Session of the new order.
        session_id "sessionId": Option<String>, loggable;
        /// Undocumented, null when seen.
        offer_id "offerId": Option<String>, loggable;
        /// Without the service fee.
        total_price "totalPrice": Option<Amount>, loggable, retained;
        /// Atlas' fee.
        total_transaction_fee "totalTransactionFee": Option<Amount>, loggable, retained;
        /// Settlement currency.
        currency "currency": Option<String>, loggable, retained;
        /// In the airline's currency.
        vendor_total_price "vendorTotalPrice": Option<Amount>, loggable;
        /// The airline's currency.
        vendor_currency "vendorCurrency": Option<String>, loggable;
        /// Pay before this.
        tkt_limit_time "tktLimitTime": Option<Instant>, loggable, retained;
        /// Undocumented.
        include_extra_baggage "includeExtraBaggage": Option<bool>, loggable;
        /// The passengers; no tickets yet.
        pax_ticket_infos "paxTicketInfos": Vec<PassengerTicket>;
        /// The itinerary.
        routing "routing": Option<Routing>;
        /// Filled on 318.
        duplicate_orders "duplicateOrders": Vec<String>, loggable, retained;
        /// How it can be paid.
        payment_options "paymentOptions": Vec<PaymentOption>;
    }

    /// Tries to stop the issuing of a paid order.
    StopTicketRequest {
        /// A paid order that is being ticketed.
        order_no "orderNo": Option<String>, required, loggable;
        /// Legacy client id.
        cid "cid": Option<String>, loggable;
    }

    /// The attempt was accepted, no more: query the order after 8 minutes.
    StopTicketReply {}

    /// Lists orders that depart within a year, newest first. All filters are optional.
    OrderListRequest {
        /// Exact.
        order_no "orderNo": Option<String>, loggable;
        /// Any of these airline PNRs.
        airline_pnrs "airlinePNRs": Vec<String>;
        /// `Last/First`, contained.
        pax_name "paxName": Option<String>;
        /// Exact.
        contact_email "contactEmail": Option<String>;
        /// IATA city.
        from_city "fromCity": Option<String>, loggable;
        /// IATA city.
        to_city "toCity": Option<String>, loggable;
        /// Departure day.
        dep_date "depDate": Option<Date>, loggable;
        /// Created at or after.
        create_time_range_from "createTimeRangeFrom": Option<Instant> => Kind::Time(Clock::Utc), loggable;
        /// Created at or before.
        create_time_range_to "createTimeRangeTo": Option<Instant> => Kind::Time(Clock::Utc), loggable;
        /// Any of 0, 1, 2, -3.
        order_status "orderStatus": Vec<Code>, loggable;
        /// Any of these airlines.
        airlines "airlines": Vec<String>, loggable;
        /// From 1.
        page "page": Option<Number> => Kind::Code, loggable;
        /// 20 by default, 100 at most.
        page_size "pageSize": Option<Number> => Kind::Code, loggable;
    }

    /// One order of a list.
    OrderSummary {
        /// Order number.
        order_no "orderNo": Option<String> => Kind::Joined, loggable;
        /// Atlas PNR.
        pnr_code "pnrCode": Option<String> => Kind::Joined, loggable;
        /// Airline PNRs; one text may hold several joined by `|`.
        airline_pnrs "airlinePNRs": Vec<String> => Kind::JOINED_LIST, never_null;
        /// 0 unpaid, 1 ticketing, 2 ticketed, -3 cancelled.
        order_status "orderStatus": Option<Code>, loggable;
        /// Departure day; older replies call it travelStartDate.
        dep_date "depDate" | "travelStartDate": Option<Date>, loggable;
        /// Airlines.
        airlines "airlines": Vec<String>, loggable;
        /// Created.
        order_create_timestamp "orderCreateTimestamp": Option<Instant> => Kind::Time(Clock::Utc), loggable;
        /// Paid.
        payment_timestamp "paymentTimestamp": Option<Instant> => Kind::Time(Clock::Utc), loggable;
        /// `Last/First` each.
        pax_names "paxNames": Vec<String>;
        /// As the customer gave it.
        contact_email "contactEmail": Option<String>;
        /// IATA city.
        from_city "fromCity": Option<String>, loggable;
        /// IATA city.
        to_city "toCity": Option<String>, loggable;
        /// Why it was cancelled.
        error_code "errorCode": Option<Code>, loggable;
        /// Why it was cancelled.
        error_message "errorMessage": Option<String>;
    }

    /// A page of orders.
    OrderListReply {
        /// This page, from 1.
        page "page": Option<Number>, loggable;
        /// Its size.
        page_size "pageSize": Option<Number>, loggable;
        /// Orders in all.
        total_records "totalRecords": Option<Number>, loggable;
        /// Never null.
        orders "orders": Vec<OrderSummary>, never_null;
    }
}
