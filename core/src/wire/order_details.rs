//! queryOrderDetails (ST, 2026-04; SAB 2025; live 2026-08).

use super::message::message;
use super::shape::{Kind, Rule};
use super::value::{Code, Date, Instant, Number};
use super::{Amount, PassengerTicket, PaymentOption, RefundRule, Routing};
use serde_json::Value as Any;

message! {
    /// A passenger that tells similar bookings apart.
    QueryPassenger {
        /// `Last/First`.
        name "name": Option<String>, required;
    }

    /// A flight that tells similar bookings apart.
    QuerySegment {
        /// From 1.
        segment_index "segmentIndex": Option<Number>, loggable;
        /// Two-letter airline code.
        carrier "carrier": Option<String>, loggable;
        /// Flight number with its carrier prefix.
        flight_number "flightNumber": Option<String>, loggable;
        /// Departure airport, IATA.
        dep_airport "depAirport": Option<String>, loggable;
        /// Arrival airport, IATA.
        arr_airport "arrAirport": Option<String>, loggable;
        /// Departure day.
        from_date "fromDate": Option<Date>, loggable;
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
        order_no "orderNo": Option<String>, loggable;
        /// Atlas PNR.
        pnr_code "pnrCode": Option<String>, loggable;
        /// Airline PNR, together with carrier.
        airline_pnr "airlinePNR": Option<String>;
        /// Two-letter airline code.
        carrier "carrier": Option<String>, loggable;
        /// Main and post-booking orders in one answer (`orderList`); 2025, may be gone.
        is_completed_order "isCompletedOrder": Option<bool>, loggable;
        /// Tells similar bookings apart.
        passengers "passengers": Vec<QueryPassenger>;
        /// Tells similar bookings apart.
        routing "routing": Option<QueryRouting>;
        /// Legacy client id.
        cid "cid": Option<String>, loggable;
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
        airline_code "airlineCode": Option<String>, loggable;
        /// Name of the airline.
        airline_name "airlineName": Option<String>, loggable;
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
        order_no "orderNo": Option<String>, loggable;
        /// 0 unpaid, 1 ticketing, 2 ticketed, -3 cancelled.
        order_status "orderStatus": Option<Code>, loggable;
        /// 0 not issued, 1 issued.
        ticket_status "ticketStatus": Option<Code>, loggable;
        /// 1 main, 6 ancillary (undocumented).
        order_type "orderType": Option<Code>, loggable;
        /// Total.
        total_price "totalPrice": Option<Amount>, loggable;
        /// Currency.
        currency "currency": Option<String>, loggable;
        /// Pay before this.
        tkt_limit_time "tktLimitTime": Option<Instant>, loggable;
        /// In the airline's currency.
        vendor_total_price "vendorTotalPrice": Option<Amount>, loggable;
        /// Charged by the airline.
        vendor_cost "vendorCost": Option<Amount>, loggable;
        /// Ancillaries in the airline's currency.
        vendor_total_ancillary_price "vendorTotalAncillaryPrice": Option<Amount>, loggable;
        /// The airline's currency.
        vendor_currency "vendorCurrency": Option<String>, loggable;
        /// Adults.
        adult_total_fare "adultTotalFare": Option<Amount>, loggable;
        /// Children.
        child_total_fare "childTotalFare": Option<Amount>, loggable;
        /// Infants.
        infant_total_fare "infantTotalFare": Option<Amount>, loggable;
        /// Ancillaries.
        total_ancillary_price "totalAncillaryPrice": Option<Amount>, loggable;
        /// Atlas' fee.
        total_transaction_fee "totalTransactionFee": Option<Amount>, loggable;
        /// Card fee.
        payment_fee "paymentFee": Option<Amount>, loggable;
        /// Deprecated by the vendor.
        support_payment_method "supportPaymentMethod": Option<Code>, loggable;
    }

    /// An order, by the vendor's authoritative query.
    QueryOrderDetailsReply {
        /// Echo; null with status 0 means that there is no such order.
        order_no "orderNo": Option<String> => Kind::Joined, loggable;
        /// Atlas PNR; may change until ticketing.
        pnr_code "pnrCode": Option<String> => Kind::Joined, loggable;
        /// 0 unpaid, 1 ticketing, 2 ticketed, -3 cancelled; null in aggregated answers.
        order_status "orderStatus": Option<Code>, loggable;
        /// 0 not issued, 1 issued.
        ticket_status "ticketStatus": Option<Code>, loggable;
        /// 1 main, 6 ancillary (undocumented, live).
        order_type "orderType": Option<Code>, loggable;
        /// Main order of an ancillary order (undocumented, live).
        ticket_order_no "ticketOrderNo": Option<String>, loggable;
        /// Passengers with their tickets.
        pax_ticket_infos "paxTicketInfos": Vec<PassengerTicket>;
        /// Total without the service fee.
        total_price "totalPrice": Option<Amount>, loggable;
        /// Settlement currency.
        currency "currency": Option<String>, loggable;
        /// Pay before this; without meaning once paid.
        tkt_limit_time "tktLimitTime": Option<Instant>, loggable;
        /// Paid (undocumented, live).
        pay_time "payTime": Option<Instant>, loggable;
        /// Created (undocumented, live).
        created_time "createdTime": Option<Instant>, loggable;
        /// Changed (undocumented, live).
        updated_time "updatedTime": Option<Instant>, loggable;
        /// In the airline's currency.
        vendor_total_price "vendorTotalPrice": Option<Amount>, loggable;
        /// Charged by the airline.
        vendor_cost "vendorCost": Option<Amount>, loggable;
        /// Ancillaries in the airline's currency.
        vendor_total_ancillary_price "vendorTotalAncillaryPrice": Option<Amount>, loggable;
        /// The airline's currency.
        vendor_currency "vendorCurrency": Option<String>, loggable;
        /// Adults.
        adult_total_fare "adultTotalFare": Option<Amount>, loggable;
        /// Children.
        child_total_fare "childTotalFare": Option<Amount>, loggable;
        /// Infants.
        infant_total_fare "infantTotalFare": Option<Amount>, loggable;
        /// Ancillaries.
        total_ancillary_price "totalAncillaryPrice": Option<Amount>, loggable;
        /// Atlas' fee.
        total_transaction_fee "totalTransactionFee": Option<Amount>, loggable;
        /// Card fee.
        payment_fee "paymentFee": Option<Amount>, loggable;
        /// Deprecated by the vendor: 1 deposit only, 3 card and deposit.
        support_payment_method "supportPaymentMethod": Option<Code>, loggable;
        /// 1 deposit, 3 VCC, 4 BYOA, 5 MoR.
        support_payment_methods "supportPaymentMethods": Vec<Code>, loggable;
        /// How it was paid; null while unpaid.
        payment_method "paymentMethod": Option<Code>, loggable;
        /// The itinerary.
        routing "routing": Option<Routing>;
        /// The airline's bookings; two only for a split round trip.
        airline_bookings "airlineBookings": Vec<AirlineBooking>;
        /// Link to the itinerary.
        itinerary_download "itineraryDownload": Option<String>;
        /// Contact.
        contact "contact": Option<Contact>;
        /// Why issuing failed; only with -3.
        error_code "errorCode": Option<Code>, loggable;
        /// Why issuing failed.
        error_message "errorMessage": Option<String>;
        /// The airline's message.
        airline_message "airlineMessage": Option<String>;
        /// Refund rules.
        refund_rules "refundRules": Vec<RefundRule>;
        /// SIMILAR_SEAT, STOP_SEAT, STOP_TICKET.
        if_seat_occupied "ifSeatOccupied": Option<String>, loggable;
        /// How it can be paid; null once paid.
        payment_options "paymentOptions": Vec<PaymentOption>;
        /// How it was paid.
        payment "payment": Option<PaymentOption>;
        /// VCC only: charging the card at the airline has begun.
        payment_attempted "paymentAttempted": Option<bool>, loggable;
        /// Undocumented.
        vcc_status "vccStatus": Option<Any>;
        /// Undocumented.
        locale "locale": Option<String>, loggable;
        /// 0 with the ticket, 1 afterwards (2025).
        ancillary_buy_method "ancillaryBuyMethod": Option<String>, loggable;
        /// Main and ancillary orders, when isCompletedOrder was asked for (2025).
        order_list "orderList": Vec<RelatedOrder>;
    }
}
