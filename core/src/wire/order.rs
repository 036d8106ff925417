//! regenerateOrder, stopTicket, orderList (OF, 2026-04), queryOrderDetails (ST, 2026-04; SAB 2025; live 2026-08).

use super::shape::{Kind, Rule, message};
use super::value::{Code, Date, Instant, Number};
use super::{Amount, Clock, PassengerTicket, PaymentOption, RefundRule, Routing};
use serde_json::Value as Any;

message! {
    /// Builds a new order from an expired or cancelled one, at today's price. Every success is another order.
    RegenerateOrderRequest {
        /// The order to rebuild (at most 24 hours old, by older documentation).
        original_order_no "originalOrderNo": Option<String>, required;
    }

    /// The new, unpaid order.
    RegenerateOrderReply {
        /// The new order; two numbers joined by a comma for split round trips.
        order_no "orderNo": Option<String> => Kind::Joined;
        /// Atlas PNR of the new order.
        pnr_code "pnrCode": Option<String> => Kind::Joined;
        /// Echo (undocumented).
        original_order_no "originalOrderNo": Option<String>;
        /// Undocumented, null when seen.
        ticket_order_no "ticketOrderNo": Option<String>;
        /// Session of the new order.
        session_id "sessionId": Option<String>;
        /// Undocumented, null when seen.
        offer_id "offerId": Option<String>;
        /// Without the service fee.
        total_price "totalPrice": Option<Amount>;
        /// Atlas' fee.
        total_transaction_fee "totalTransactionFee": Option<Amount>;
        /// Settlement currency.
        currency "currency": Option<String>;
        /// In the airline's currency.
        vendor_total_price "vendorTotalPrice": Option<Amount>;
        /// The airline's currency.
        vendor_currency "vendorCurrency": Option<String>;
        /// Pay before this.
        tkt_limit_time "tktLimitTime": Option<Instant>;
        /// Undocumented.
        include_extra_baggage "includeExtraBaggage": Option<bool>;
        /// The passengers; no tickets yet.
        pax_ticket_infos "paxTicketInfos": Vec<PassengerTicket>;
        /// The itinerary.
        routing "routing": Option<Routing>;
        /// Filled on 318.
        duplicate_orders "duplicateOrders": Vec<String>;
        /// How it can be paid.
        payment_options "paymentOptions": Vec<PaymentOption>;
    }

    /// Tries to stop the issuing of a paid order.
    StopTicketRequest {
        /// A paid order that is being ticketed.
        order_no "orderNo": Option<String>, required;
        /// Legacy client id.
        cid "cid": Option<String>;
    }

    /// Nothing but the acceptance of the attempt: look at the order after 8 minutes.
    StopTicketReply {}

    /// Lists orders that depart within a year, newest first. All filters are optional.
    OrderListRequest {
        /// Exact.
        order_no "orderNo": Option<String>;
        /// Any of these airline PNRs.
        airline_pnrs "airlinePNRs": Vec<String>;
        /// `Last/First`, contained.
        pax_name "paxName": Option<String>;
        /// Exact.
        contact_email "contactEmail": Option<String>;
        /// IATA city.
        from_city "fromCity": Option<String>;
        /// IATA city.
        to_city "toCity": Option<String>;
        /// Departure day.
        dep_date "depDate": Option<Date>;
        /// Created at or after.
        create_time_range_from "createTimeRangeFrom": Option<Instant> => Kind::Time(Clock::Utc);
        /// Created at or before.
        create_time_range_to "createTimeRangeTo": Option<Instant> => Kind::Time(Clock::Utc);
        /// Any of 0, 1, 2, -3.
        order_status "orderStatus": Vec<Code>;
        /// Any of these airlines.
        airlines "airlines": Vec<String>;
        /// From 1.
        page "page": Option<Number> => Kind::Code;
        /// 20 by default, 100 at most.
        page_size "pageSize": Option<Number> => Kind::Code;
    }

    /// One order of a list.
    OrderSummary {
        /// Order number.
        order_no "orderNo": Option<String> => Kind::Joined;
        /// Atlas PNR.
        pnr_code "pnrCode": Option<String> => Kind::Joined;
        /// Airline PNRs; one text may hold several joined by `|`.
        airline_pnrs "airlinePNRs": Vec<String> => Kind::JOINED_LIST, never_null;
        /// 0 unpaid, 1 ticketing, 2 ticketed, -3 cancelled.
        order_status "orderStatus": Option<Code>;
        /// Departure day; older replies call it travelStartDate.
        dep_date "depDate" | "travelStartDate": Option<Date>;
        /// Airlines.
        airlines "airlines": Vec<String>;
        /// Created.
        order_create_timestamp "orderCreateTimestamp": Option<Instant> => Kind::Time(Clock::Utc);
        /// Paid.
        payment_timestamp "paymentTimestamp": Option<Instant> => Kind::Time(Clock::Utc);
        /// `Last/First` each.
        pax_names "paxNames": Vec<String>;
        /// As the customer gave it.
        contact_email "contactEmail": Option<String>;
        /// IATA city.
        from_city "fromCity": Option<String>;
        /// IATA city.
        to_city "toCity": Option<String>;
        /// Why it was cancelled.
        error_code "errorCode": Option<Code>;
        /// Why it was cancelled.
        error_message "errorMessage": Option<String>;
    }

    /// A page of orders.
    OrderListReply {
        /// This page, from 1.
        page "page": Option<Number>;
        /// Its size.
        page_size "pageSize": Option<Number>;
        /// Orders in all.
        total_records "totalRecords": Option<Number>;
        /// Never null.
        orders "orders": Vec<OrderSummary>, never_null;
    }

    /// A passenger that tells similar bookings apart.
    QueryPassenger {
        /// `Last/First`.
        name "name": Option<String>, required;
    }

    /// A flight that tells similar bookings apart.
    QuerySegment {
        /// From 1.
        segment_index "segmentIndex": Option<Number>;
        /// Two-letter airline code.
        carrier "carrier": Option<String>;
        /// Flight number with its carrier prefix.
        flight_number "flightNumber": Option<String>;
        /// Departure airport, IATA.
        dep_airport "depAirport": Option<String>;
        /// Arrival airport, IATA.
        arr_airport "arrAirport": Option<String>;
        /// Departure day.
        from_date "fromDate": Option<Date>;
    }

    /// The flights that tell similar bookings apart.
    QueryRouting {
        /// Outbound.
        from_segments "fromSegments": Vec<QuerySegment>;
        /// Return.
        ret_segments "retSegments": Vec<QuerySegment>;
    }

    /// Reads one order. Everything given must belong to the same order (704).
    QueryOrderDetailsRequest rules [Rule::AnyOf(&[&["orderNo"], &["pnrCode"], &["airlinePNR", "carrier"]])] {
        /// Main or ancillary order.
        order_no "orderNo": Option<String>;
        /// Atlas PNR.
        pnr_code "pnrCode": Option<String>;
        /// Airline PNR, together with carrier.
        airline_pnr "airlinePNR": Option<String>;
        /// Two-letter airline code.
        carrier "carrier": Option<String>;
        /// Main and post-booking orders in one answer (`orderList`); 2025, may be gone.
        is_completed_order "isCompletedOrder": Option<bool>;
        /// Tells similar bookings apart.
        passengers "passengers": Vec<QueryPassenger>;
        /// Tells similar bookings apart.
        routing "routing": Option<QueryRouting>;
        /// Legacy client id.
        cid "cid": Option<String>;
    }

    /// Something the airline's booking says.
    BookingExtra {
        /// Name.
        name "name": Option<String>;
        /// Remark.
        remark "remark": Option<String>;
        /// Value.
        value "value": Option<String>;
    }

    /// The airline's booking behind an order.
    AirlineBooking {
        /// Two-letter airline code.
        airline_code "airlineCode": Option<String>;
        /// Name of the airline.
        airline_name "airlineName": Option<String>;
        /// Airline PNR; null until it is known.
        airline_pnr "airlinePnr": Option<String> => Kind::Joined;
        /// The airline's site.
        airline_web_site_address "airlineWebSiteAddress": Option<String>;
        /// E-mail that opens the booking at the airline.
        mmb_email "mmbEmail": Option<String>;
        /// Last digits of the card that paid.
        tail_digits_of_payment_card "tailDigitsOfPaymentCard": Option<String>;
        /// More.
        extras "extras": Vec<BookingExtra>;
    }

    /// Contact of an order.
    Contact {
        /// Name.
        name "name": Option<String>;
        /// Address.
        address "address": Option<String>;
        /// Post code.
        postcode "postcode": Option<String>;
        /// E-mail.
        email "email": Option<String>;
        /// Phone, `XXXX-XXXXXXXX`.
        mobile "mobile": Option<String>;
    }

    /// One order of an aggregated answer (2025).
    RelatedOrder {
        /// Order number.
        order_no "orderNo": Option<String>;
        /// 0 unpaid, 1 ticketing, 2 ticketed, -3 cancelled.
        order_status "orderStatus": Option<Code>;
        /// 0 not issued, 1 issued.
        ticket_status "ticketStatus": Option<Code>;
        /// 1 main, 6 ancillary (undocumented).
        order_type "orderType": Option<Code>;
        /// Total.
        total_price "totalPrice": Option<Amount>;
        /// Currency.
        currency "currency": Option<String>;
        /// Pay before this.
        tkt_limit_time "tktLimitTime": Option<Instant>;
        /// In the airline's currency.
        vendor_total_price "vendorTotalPrice": Option<Amount>;
        /// Charged by the airline.
        vendor_cost "vendorCost": Option<Amount>;
        /// Ancillaries in the airline's currency.
        vendor_total_ancillary_price "vendorTotalAncillaryPrice": Option<Amount>;
        /// The airline's currency.
        vendor_currency "vendorCurrency": Option<String>;
        /// Adults.
        adult_total_fare "adultTotalFare": Option<Amount>;
        /// Children.
        child_total_fare "childTotalFare": Option<Amount>;
        /// Infants.
        infant_total_fare "infantTotalFare": Option<Amount>;
        /// Ancillaries.
        total_ancillary_price "totalAncillaryPrice": Option<Amount>;
        /// Atlas' fee.
        total_transaction_fee "totalTransactionFee": Option<Amount>;
        /// Card fee.
        payment_fee "paymentFee": Option<Amount>;
        /// Deprecated by the vendor.
        support_payment_method "supportPaymentMethod": Option<Code>;
    }

    /// An order: the truth about it.
    QueryOrderDetailsReply {
        /// Echo; null with status 0 means that there is no such order.
        order_no "orderNo": Option<String> => Kind::Joined;
        /// Atlas PNR; may change until ticketing.
        pnr_code "pnrCode": Option<String> => Kind::Joined;
        /// 0 unpaid, 1 ticketing, 2 ticketed, -3 cancelled; null in aggregated answers.
        order_status "orderStatus": Option<Code>;
        /// 0 not issued, 1 issued.
        ticket_status "ticketStatus": Option<Code>;
        /// 1 main, 6 ancillary (undocumented, live).
        order_type "orderType": Option<Code>;
        /// Main order of an ancillary order (undocumented, live).
        ticket_order_no "ticketOrderNo": Option<String>;
        /// Passengers with their tickets.
        pax_ticket_infos "paxTicketInfos": Vec<PassengerTicket>;
        /// Total without the service fee.
        total_price "totalPrice": Option<Amount>;
        /// Settlement currency.
        currency "currency": Option<String>;
        /// Pay before this; without meaning once paid.
        tkt_limit_time "tktLimitTime": Option<Instant>;
        /// Paid (undocumented, live).
        pay_time "payTime": Option<Instant>;
        /// Created (undocumented, live).
        created_time "createdTime": Option<Instant>;
        /// Changed (undocumented, live).
        updated_time "updatedTime": Option<Instant>;
        /// In the airline's currency.
        vendor_total_price "vendorTotalPrice": Option<Amount>;
        /// Charged by the airline.
        vendor_cost "vendorCost": Option<Amount>;
        /// Ancillaries in the airline's currency.
        vendor_total_ancillary_price "vendorTotalAncillaryPrice": Option<Amount>;
        /// The airline's currency.
        vendor_currency "vendorCurrency": Option<String>;
        /// Adults.
        adult_total_fare "adultTotalFare": Option<Amount>;
        /// Children.
        child_total_fare "childTotalFare": Option<Amount>;
        /// Infants.
        infant_total_fare "infantTotalFare": Option<Amount>;
        /// Ancillaries.
        total_ancillary_price "totalAncillaryPrice": Option<Amount>;
        /// Atlas' fee.
        total_transaction_fee "totalTransactionFee": Option<Amount>;
        /// Card fee.
        payment_fee "paymentFee": Option<Amount>;
        /// Deprecated by the vendor: 1 deposit only, 3 card and deposit.
        support_payment_method "supportPaymentMethod": Option<Code>;
        /// 1 deposit, 3 VCC, 4 BYOA, 5 MoR.
        support_payment_methods "supportPaymentMethods": Vec<Code>;
        /// How it was paid; null while unpaid.
        payment_method "paymentMethod": Option<Code>;
        /// The itinerary.
        routing "routing": Option<Routing>;
        /// The airline's bookings; two only for a split round trip.
        airline_bookings "airlineBookings": Vec<AirlineBooking>;
        /// Link to the itinerary.
        itinerary_download "itineraryDownload": Option<String>;
        /// Contact.
        contact "contact": Option<Contact>;
        /// Why issuing failed; only with -3.
        error_code "errorCode": Option<Code>;
        /// Why issuing failed.
        error_message "errorMessage": Option<String>;
        /// The airline's words.
        airline_message "airlineMessage": Option<String>;
        /// Refund rules.
        refund_rules "refundRules": Vec<RefundRule>;
        /// SIMILAR_SEAT, STOP_SEAT, STOP_TICKET.
        if_seat_occupied "ifSeatOccupied": Option<String>;
        /// How it can be paid; null once paid.
        payment_options "paymentOptions": Vec<PaymentOption>;
        /// How it was paid.
        payment "payment": Option<PaymentOption>;
        /// VCC only: charging the card at the airline has begun.
        payment_attempted "paymentAttempted": Option<bool>;
        /// Undocumented.
        vcc_status "vccStatus": Option<Any>;
        /// Undocumented.
        locale "locale": Option<String>;
        /// 0 with the ticket, 1 afterwards (2025).
        ancillary_buy_method "ancillaryBuyMethod": Option<String>;
        /// Main and ancillary orders, when isCompletedOrder was asked for (2025).
        order_list "orderList": Vec<RelatedOrder>;
    }
}
