//! Ancillaries: postBookingAncillarySearch, postBookingAncillaryOrder (A26, 2026-04; AS25/AO24 for older names).

use super::message::message;
use super::shape::Kind;
use super::value::{Code, Instant, Number};
use super::{Amount, CardCharge, FlightRequest, PassengerTicket, PaymentOption, Routing, Segment};
use serde_json::Value as Any;

message! {
    /// A baggage allowance.
    Baggage {
        /// Pieces; 0 means no limit of pieces.
        piece "piece": Option<Number>, loggable;
        /// Kilograms; 0 means no limit of weight.
        weight "weight": Option<Number>, loggable;
        /// True: the weight is for all pieces together; false: for each.
        is_all_weight "isAllWeight": Option<bool>, loggable;
        /// Measures, free text.
        size "size": Option<String>;
    }

    /// A seat.
    Seat {
        /// Row.
        row "row": Option<String>;
        /// Column letter.
        column "column": Option<String>;
    }

    /// An ancillary that a passenger has.
    PassengerAncillary {
        /// The product.
        product_code "productCode": Option<String>, loggable;
        /// The segment it is for.
        segment_index "segmentIndex": Option<Number>, loggable;
        /// 0 bought with the ticket, 1 afterwards.
        buy_method "buyMethod": Option<String>, loggable;
        /// Reserved by the vendor.
        offer_id "offerId": Option<String>, loggable;
        /// Price in the settlement currency.
        ancillary_price "ancillaryPrice": Option<Amount>, loggable;
        /// Settlement currency.
        currency "currency": Option<String>, loggable;
        /// The baggage, if it is one.
        aux_baggage_element "auxBaggageElement": Option<Baggage>;
        /// The seat, if it is one.
        aux_seat_element "auxSeatElement": Option<Seat>;
        /// Price in the airline's currency.
        vendor_price "vendorPrice": Option<Amount>, loggable;
        /// The airline's currency.
        vendor_currency "vendorCurrency": Option<String>, loggable;
        /// Price in the display currency.
        display_price "displayPrice": Option<Amount>, loggable;
        /// Display currency.
        display_currency "displayCurrency": Option<String>, loggable;
        /// Product type (older replies).
        product_type "productType": Option<Code>, loggable;
    }

    /// A baggage product on sale. The key is (segmentIndex, productCode): one code may have another price per segment.
    AncillaryProduct {
        /// The segment it is for.
        segment_index "segmentIndex": Option<Number>, loggable;
        /// The last segment it covers (2025).
        end_segment_index "endSegmentIndex": Option<Number>, loggable;
        /// What to order.
        product_code "productCode": Option<String>, loggable;
        /// Display name (2025).
        product_name "productName": Option<String>, loggable;
        /// Product type (2025).
        product_type "productType": Option<Code>, loggable;
        /// Can be bought with the ticket.
        can_purchase_with_ticket "canPurchaseWithTicket": Option<bool>, loggable;
        /// Can be bought after ticketing; must be true, and is still no guarantee.
        can_purchase_post_ticket "canPurchasePostTicket": Option<bool>, loggable;
        /// Price in the settlement currency.
        price "price": Option<Amount>, loggable;
        /// Settlement currency.
        currency "currency": Option<String>, loggable;
        /// Price in the airline's currency (VCC, BYOA).
        vendor_price "vendorPrice": Option<Amount>, loggable;
        /// The airline's currency.
        vendor_currency "vendorCurrency": Option<String>, loggable;
        /// Atlas' fee.
        client_technical_service_fee "clientTechnicalServiceFee": Option<Amount>, loggable;
        /// PER_PAX, PER_SEGMENT, PER_TICKET or PER_BOOKING.
        client_technical_service_fee_mode "clientTechnicalServiceFeeMode": Option<String>, loggable;
        /// The allowance.
        aux_baggage_element "auxBaggageElement": Option<Baggage>;
        /// Reserved by the vendor.
        offer_id "offerId": Option<String>, loggable;
        /// At most so many per passenger and segment.
        max_qty "maxQty": Option<Number>, loggable;
        /// At least so many.
        min_qty "minQty": Option<Number>, loggable;
        /// StandardCheckInBaggage, CabinBaggage, CabinBaggageOverheadLocker, CabinBaggageUnderSeat; open.
        category_code "categoryCode": Option<String>, loggable;
        /// Equal to the product code; for display only.
        ancillary_code "ancillaryCode": Option<String>, loggable;
        /// The seat, if it is one.
        aux_seat_element "auxSeatElement": Option<Seat>;
        /// Price in the display currency.
        display_price "displayPrice": Option<Amount>, loggable;
        /// Display currency.
        display_currency "displayCurrency": Option<String>, loggable;
    }

    /// Asks which baggage can still be bought for a ticketed order.
    PostBookingAncillarySearchRequest {
        /// Main order number.
        ticket_order_no "ticketOrderNo": Option<String>, loggable;
        /// `BAGGAGE`, the only category.
        ancillary_category "ancillaryCategory": Option<String>, required, loggable;
        /// 1 deposit, 3 VCC, 4 BYOA, 5 MoR; given, only this method can pay.
        payment_method "paymentMethod": Option<Code>, loggable;
        /// Outbound flights; their purpose is not documented.
        from_segments "fromSegments": Vec<FlightRequest>;
        /// Return flights.
        ret_segments "retSegments": Vec<FlightRequest>;
        /// 2025 form, not in the 2026 schema.
        airline_pnr "airlinePNR": Option<String>;
        /// 2025 form.
        carrier "carrier": Option<String>, loggable;
        /// 2025 form.
        display_currency "displayCurrency": Option<String>, loggable;
        /// Legacy client id.
        cid "cid": Option<String>, loggable;
    }

    /// What can be bought.
    PostBookingAncillarySearchReply {
        /// For the order; how long it is valid is not documented.
        session_id "sessionId": Option<String>, loggable;
        /// Echo of the main order.
        ticket_order_no "ticketOrderNo": Option<String>, loggable;
        /// Deprecated by the vendor.
        support_credit_trans_payment "supportCreditTransPayment": Option<bool>, loggable;
        /// 1 deposit, 3 VCC, 4 BYOA, 5 MoR.
        support_payment_methods "supportPaymentMethods": Vec<Code>, loggable;
        /// Settlement currency.
        currency "currency": Option<String>, loggable;
        /// Card charges (MoR).
        card_charge_list "cardChargeList": Vec<CardCharge>;
        /// Outbound.
        from_segments "fromSegments": Vec<Segment>;
        /// Return; empty for one-way.
        ret_segments "retSegments": Vec<Segment>;
        /// The products; empty when nothing is on sale.
        ancillary_product_elements "ancillaryProductElements": Vec<AncillaryProduct>, never_null;
    }

    /// A product for one segment.
    AncillaryChoice {
        /// From the search of the same session.
        product_code "productCode": Option<String>, required, loggable;
        /// The segment; connections need the same product on every segment of a direction.
        segment_index "segmentIndex": Option<Number>, required, loggable;
    }

    /// Proof of residence for discounts.
    ResidentInfo {
        /// Document type.
        doc_type "docType": Option<String>, required;
        /// Document number.
        doc_num "docNum": Option<String>;
        /// Municipality.
        municipality "municipality": Option<String>;
        /// Large family certificate.
        large_family_cert "largeFamilyCert": Option<String>;
        /// Community.
        community "community": Option<String>;
    }

    /// A passenger who buys.
    AncillaryPassenger {
        /// `FAMILY/GIVEN`, identical to the ticket.
        name "name": Option<String>, required;
        /// 0 adult, 1 child (2 infant is refused).
        passenger_type "passengerType": Option<Code>, required, loggable;
        /// What.
        ancillaries "ancillaries": Vec<AncillaryChoice>;
        /// Proof of residence.
        resident_info "residentInfo": Option<ResidentInfo>;
    }

    /// How a MoR order will be paid.
    AncillaryPayment {
        /// Amex, Visa, MasterCard, JCB, Discover, DinersClub.
        card_type "cardType": Option<String>;
    }

    /// Orders baggage: makes an unpaid order that lapses if it is not paid.
    PostBookingAncillaryOrderRequest {
        /// From the search.
        session_id "sessionId": Option<String>, required, loggable;
        /// `BAGGAGE`.
        ancillary_category "ancillaryCategory": Option<String>, required, loggable;
        /// Main order number.
        ticket_order_no "ticketOrderNo": Option<String>, required, loggable;
        /// Only those who buy.
        passengers "passengers": Vec<AncillaryPassenger>, required, never_null;
        /// MoR only, required there.
        payment "payment": Option<AncillaryPayment>;
        /// 2024 form.
        airline_pnr "airlinePNR": Option<String>;
        /// 2024 form.
        carrier "carrier": Option<String>, loggable;
        /// Legacy client id.
        cid "cid": Option<String>, loggable;
    }

    /// The new, unpaid ancillary order.
    PostBookingAncillaryOrderReply {
        /// The new order: pay and query this one.
        order_no "orderNo": Option<String> => Kind::Joined, loggable, retained;
        /// Echo of the main order.
        ticket_order_no "ticketOrderNo": Option<String>, loggable, retained;
        /// Echo.
        session_id "sessionId": Option<String>, loggable;
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
        /// Pay before this; 16 minutes in every sample.
        tkt_limit_time "tktLimitTime": Option<Instant>, loggable, retained;
        /// Who gets what.
        pax_ticket_infos "paxTicketInfos": Vec<PassengerTicket>;
        /// How it can be paid.
        payment_options "paymentOptions": Vec<PaymentOption>;
        /// 2024 form.
        original_order_no "originalOrderNo": Option<String>, loggable, retained;
        /// 2024 form.
        pnr_code "pnrCode": Option<String> => Kind::Joined, loggable;
        /// 2024 form.
        include_extra_baggage "includeExtraBaggage": Option<bool>, loggable;
        /// 2024 form.
        routing "routing": Option<Routing>;
        /// Orders that the vendor takes for the same.
        duplicate_orders "duplicateOrders": Vec<String>, loggable, retained;
        /// Undocumented.
        offer_id "offerId": Option<Any>;
    }
}
