//! Objects that several operations share: passengers, segments, payment options, refund rules.

use super::Amount;
use super::shape::{Kind, message};
use super::value::{Code, Date, Instant, LocalTime, Number};
use serde_json::Value as Any;

message! {
    /// One flight of an itinerary, as replies show it (ST, A26). Indexes run on over both directions, from 1.
    Segment {
        /// Position over outbound and return together, from 1.
        segment_index "segmentIndex": Option<Number>, loggable;
        /// Two-letter airline code.
        carrier "carrier": Option<String>, loggable;
        /// Flight number with its carrier prefix.
        flight_number "flightNumber": Option<String>, loggable;
        /// Departure airport, IATA.
        dep_airport "depAirport": Option<String>, loggable;
        /// Departure, airport-local.
        dep_time "depTime": Option<LocalTime>, loggable;
        /// Arrival airport, IATA.
        arr_airport "arrAirport": Option<String>, loggable;
        /// Arrival, airport-local.
        arr_time "arrTime": Option<LocalTime>, loggable;
        /// Stops on the way.
        stop_cities "stopCities": Option<String>, loggable;
        /// Minutes.
        duration "duration": Option<Number>, loggable;
        /// Flown under another carrier's number.
        code_share "codeShare": Option<bool>, loggable;
        /// Booking class.
        cabin "cabin": Option<String>, loggable;
        /// 1 economy, 2 business, 3 first, 4 premium economy.
        cabin_class "cabinClass": Option<Code>, loggable;
        /// Seats left when it was quoted.
        seat_count "seatCount": Option<Number>, loggable;
        /// Aircraft type.
        aircraft_code "aircraftCode": Option<String>, loggable;
        /// Departure terminal.
        dep_terminal "depTerminal": Option<String>, loggable;
        /// Arrival terminal.
        arr_terminal "arrTerminal": Option<String>, loggable;
        /// Operating airline, where it differs.
        operating_carrier "operatingCarrier": Option<String>, loggable;
        /// Operating flight number; the small n is the vendor's spelling in replies.
        operating_flight_number "operatingFlightnumber": Option<String>, loggable;
        /// The airline's fare brand.
        fare_family "fareFamily": Option<String>, loggable;
    }

    /// A flight as requests give it to search ancillaries or claim a booking (OF, A26).
    FlightRequest {
        /// Two-letter airline code.
        carrier "carrier": Option<String>, required, loggable;
        /// Flight number with its carrier prefix.
        flight_number "flightNumber": Option<String>, required, loggable;
        /// Departure airport, IATA.
        dep_airport "depAirport": Option<String>, required, loggable;
        /// Arrival airport, IATA.
        arr_airport "arrAirport": Option<String>, required, loggable;
        /// Departure, airport-local.
        dep_time "depTime": Option<LocalTime>, required, loggable;
        /// Arrival, airport-local.
        arr_time "arrTime": Option<LocalTime>, loggable;
        /// Stops on the way.
        stop_cities "stopCities": Option<String>, loggable;
        /// Flown under another carrier's number; sent as 0 or 1.
        code_share "codeShare": Option<bool> => Kind::Flag, loggable;
        /// Operating airline, where it differs.
        operating_carrier "operatingCarrier": Option<String>, loggable;
        /// Operating flight number.
        operating_flight_number "operatingFlightNumber": Option<String>, loggable;
        /// Departure terminal.
        dep_terminal "depTerminal": Option<String>, loggable;
        /// Arrival terminal.
        arr_terminal "arrTerminal": Option<String>, loggable;
        /// 1 economy, 2 business, 3 first, 4 premium economy.
        cabin_class "cabinClass": Option<Code>, loggable;
        /// The airline's fare brand.
        fare_family "fareFamily": Option<String>, loggable;
        /// Shown by the vendor's sample, always null there.
        flight_index "flightIndex": Option<Number>, loggable;
        /// Minutes.
        duration "duration": Option<Number>, loggable;
    }

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

    /// A passenger with tickets.
    PassengerTicket {
        /// `Last/First Middle`.
        name "name": Option<String>;
        /// 0 adult, 1 child, 2 infant.
        passenger_type "passengerType": Option<Code>, loggable;
        /// Birthday.
        birthday "birthday": Option<Date>;
        /// M or F.
        gender "gender": Option<String>;
        /// Identity document number.
        card_num "cardNum": Option<String>;
        /// Document type: PP, GA, TW, TB, HY; open.
        card_type "cardType": Option<String>;
        /// Issuing country.
        card_issue_place "cardIssuePlace": Option<String>;
        /// Document expiry.
        card_expired "cardExpired": Option<Date>;
        /// Nationality.
        nationality "nationality": Option<String>;
        /// Ticket numbers (with low-cost carriers: the airline PNR). Two only for a split round trip.
        ticket_nos "ticketNos": Vec<String> => Kind::JOINED_LIST, never_null;
        /// Airline PNRs, as ticketNos.
        airline_pnrs "airlinePNRs": Vec<String> => Kind::JOINED_LIST, never_null;
        /// E-mail addresses used for issuing.
        contact_emails "contactEmails": Vec<String>;
        /// Phone numbers used for issuing.
        contact_phones "contactPhones": Vec<String>;
        /// State of the ticket; undocumented here, null when seen.
        ticket_status "ticketStatus": Option<Code>, loggable;
        /// What the passenger bought beside the seat.
        ancillaries "ancillaries": Vec<PassengerAncillary>;
    }

    /// An amount and the account it is taken from.
    PaymentDetail {
        /// The amount.
        amount "amount": Option<Amount>, loggable;
        /// Its currency.
        currency "currency": Option<String>, loggable;
        /// DEPOSIT or CARD.
        deduct_from "deductFrom": Option<String>, loggable;
        /// The amount in the display currency.
        display_amount "displayAmount": Option<Amount>, loggable;
        /// The display currency.
        display_currency "displayCurrency": Option<String>, loggable;
    }

    /// A way to pay, with what it costs.
    PaymentOption {
        /// 1 deposit, 3 VCC pass-through, 4 BYOA, 5 MoR.
        payment_method "paymentMethod": Option<Code>, loggable;
        /// Total fare and where it is deducted.
        ticket_fare "ticketFare": Option<PaymentDetail>;
        /// Atlas' fee.
        service_fee "serviceFee": Option<PaymentDetail>;
        /// Card fee.
        payment_fee "paymentFee": Option<PaymentDetail>;
        /// Card brand (MoR only).
        card_type "cardType": Option<String>;
    }

    /// What a card costs in addition (MoR).
    CardCharge {
        /// Card brand.
        card_type "cardType": Option<String>;
        /// Share of the price.
        percentage "percentage": Option<Number>, loggable;
        /// Fixed charge.
        charge "charge": Option<Amount>, loggable;
        /// Currency of the charge.
        currency "currency": Option<String>, loggable;
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

    /// One refund rule of an airline. Minutes are relative to departure: positive before, negative after.
    RefundRule {
        /// Two-letter airline code.
        airline "airline": Option<String>, loggable;
        /// 0 involuntary, 1 voluntary, 2 tax, 3 special, 4 void; older replies call the field refundReason.
        rule_type "ruleType" | "refundReason": Option<Code>, loggable;
        /// ADT, CHD, INF, joined by `/`; null or empty for all.
        passenger_type "passengerType": Option<String>, loggable;
        /// What the airline keeps.
        penalty_amount "penaltyAmount": Option<Amount> => Kind::AmountWithCurrency, loggable;
        /// Its currency, split off from `"480.00 CNY"`.
        penalty_currency "penaltyCurrency": Option<String> => Kind::CurrencyOf("penaltyAmount"), loggable;
        /// Percent that the airline keeps.
        penalty_percent "penaltyPercent": Option<Number>, loggable;
        /// Of what: `fare` or `fare+tax`.
        penalty_percent_base "penaltyPercentBase": Option<String>, loggable;
        /// The airline's fee.
        airline_fee "airlineFee": Option<Amount> => Kind::AmountWithCurrency, loggable;
        /// Its currency.
        airline_fee_currency "airlineFeeCurrency": Option<String> => Kind::CurrencyOf("airlineFee"), loggable;
        /// Taxes come back.
        tax_refundable "taxRefundable": Option<bool>, loggable;
        /// The fare comes back.
        fare_refundable "fareRefundable" | "refundable": Option<bool>, loggable;
        /// Ancillary kinds that come back; open, `ALL` seen.
        refundable_ancillaries "refundableAncillaries": Vec<String>, loggable;
        /// Start of the window.
        start_minute "startMinute": Option<Number>, loggable;
        /// End of the window.
        end_minute "endMinute": Option<Number>, loggable;
        /// CashBackToOriginalPayment or Voucher.
        refund_method "refundMethod": Option<String>, loggable;
    }

    /// Atlas' own fee for a refund or void.
    ServiceFee {
        /// Currency.
        currency "currency": Option<String>, loggable, retained;
        /// The fee.
        transaction_fee "transactionFee": Option<Amount>, loggable, retained;
        /// The fee in the display currency.
        display_transaction_fee "displayTransactionFee": Option<Amount>, loggable;
    }

    /// A fare amount and what of it comes back (fare plus ancillaries booked with the ticket).
    FareAmount {
        /// Currency.
        currency "currency": Option<String>, loggable, retained;
        /// What was paid.
        original_fare_amount "originalFareAmount": Option<Amount>, loggable, retained;
        /// What is expected back, before the service fee.
        estimated_refund_amount "estimatedRefundAmount": Option<Amount>, loggable, retained;
        /// What was paid, in the display currency.
        display_original_fare_amount "displayOriginalFareAmount": Option<Amount>, loggable;
        /// What is expected back, in the display currency.
        display_estimated_refund_amount "displayEstimatedRefundAmount": Option<Amount>, loggable;
    }

    /// A post-ticketing ancillary order and what of it comes back.
    PostTicketingAmount {
        /// The ancillary order.
        post_ticketing_order_no "postTicketingOrderNo": Option<String>, loggable, retained;
        /// Currency.
        currency "currency": Option<String>, loggable, retained;
        /// What was paid.
        original_post_ticketing_service_amount "originalPostTicketingServiceAmount": Option<Amount>, loggable, retained;
        /// What is expected back.
        estimated_refund_amount "estimatedRefundAmount": Option<Amount>, loggable, retained;
        /// What was paid, in the display currency.
        display_post_ticketing_service_amount "displayPostTicketingServiceAmount": Option<Amount>, loggable;
        /// What is expected back, in the display currency.
        display_estimated_refund_amount "displayEstimatedRefundAmount": Option<Amount>, loggable;
    }

    /// A ticket of a refund or void. Only names and number are in the schemas; the amounts are live (2026-08).
    RefundTicket {
        /// `LAST/FIRST`.
        name "name": Option<String>;
        /// Last name.
        last_name "lastName": Option<String>;
        /// First and middle names.
        first_name "firstName": Option<String>;
        /// The airline PNR, really.
        ticket_no "ticketNo": Option<String> => Kind::Joined;
        /// Currency of the amounts.
        currency "currency": Option<String>, loggable;
        /// Fare paid.
        original_fare_amount "originalFareAmount": Option<Amount>, loggable;
        /// Ancillaries paid.
        original_ancillary_amount "originalAncillaryAmount": Option<Amount>, loggable;
        /// Both.
        original_total_amount "originalTotalAmount": Option<Amount>, loggable;
        /// Fare that comes back.
        refundable_amount_for_fare "refundableAmountForFare": Option<Amount>, loggable;
        /// Ancillaries that come back.
        refundable_amount_for_ancillaries "refundableAmountForAncillaries": Option<Amount>, loggable;
        /// 0 involuntary, 1 voluntary, 4 void.
        refund_reason "refundReason": Option<Code>, loggable;
        /// Kept by the airline of the fare.
        airline_penalty_amount_for_fare "airlinePenaltyAmountForFare": Option<Amount>, loggable;
        /// Kept by the airline of the ancillaries.
        airline_penalty_amount_for_ancillaries "airlinePenaltyAmountForAncillaries": Option<Amount>, loggable;
        /// Kept by the airline in all.
        airline_penalty_amount "airlinePenaltyAmount": Option<Amount>, loggable;
        /// Expected back.
        estimated_refund_amount "estimatedRefundAmount": Option<Amount>, loggable;
        /// Paid back (2024).
        actual_refund_amount "actualRefundAmount": Option<Amount>, loggable;
        /// Undocumented; live void replies.
        original_total_amount_with_ticket "originalTotalAmountWithTicket": Option<Amount>, loggable;
        /// Undocumented; live void replies.
        refundable_amount_for_ancillaries_with_ticket "refundableAmountForAncillariesWithTicket":
            Option<Amount>, loggable;
    }

    /// Part of a fare.
    FareDetail {
        /// Code of the part.
        code "code": Option<String>, loggable;
        /// base, tax or fee.
        r#type "type": Option<String>, loggable;
        /// The amount.
        amount "amount": Option<Amount>, loggable;
        /// Free text.
        description "description": Option<String>;
    }

    /// A time-dependent step of a fare rule.
    RuleDetail {
        /// Undocumented number of the rule.
        rule_id "ruleId": Option<Number>, loggable;
        /// T allowed, H with conditions, F not allowed.
        status "status": Option<String>, loggable;
        /// CashBackToOriginalPayment or Voucher.
        refund_method "refundMethod": Option<String>, loggable;
        /// Start, minutes before departure.
        start_minute "startMinute": Option<Number>, loggable;
        /// End, minutes before departure.
        end_minute "endMinute": Option<Number>, loggable;
        /// The fee.
        amount "amount": Option<Amount>, loggable;
        /// Its currency.
        currency "currency": Option<String>, loggable;
    }

    /// A refund rule of a fare, as routing shows it.
    FareRefundRule {
        /// Kind of refund.
        refund_type "refundType": Option<Code>, loggable;
        /// T allowed, H with conditions, F not allowed.
        refund_status "refundStatus": Option<String>, loggable;
        /// CashBackToOriginalPayment or Voucher.
        refund_method "refundMethod": Option<String>, loggable;
        /// The fee.
        refund_fee "refundFee": Option<Amount>, loggable;
        /// Its currency.
        currency "currency": Option<String>, loggable;
        /// T, H or F after a no-show.
        ref_noshow "refNoshow": Option<String>, loggable;
        /// Condition of the no-show rule.
        ref_no_show_condition "refNoShowCondition": Option<Number>, loggable;
        /// No-show fee.
        ref_noshow_fee "refNoshowFee": Option<Amount>, loggable;
        /// The steps over time.
        rule_detail_list "ruleDetailList": Vec<RuleDetail>;
    }

    /// A change rule of a fare.
    FareChangeRule {
        /// Kind of change.
        changes_type "changesType": Option<Code>, loggable;
        /// T allowed, H with conditions, F not allowed.
        changes_status "changesStatus": Option<String>, loggable;
        /// The fee.
        changes_fee "changesFee": Option<Amount>, loggable;
        /// Its currency.
        currency "currency": Option<String>, loggable;
        /// T, H or F after a no-show.
        rev_noshow "revNoshow": Option<String>, loggable;
        /// Condition of the no-show rule.
        rev_no_show_condition "revNoShowCondition": Option<Number>, loggable;
        /// No-show fee.
        rev_noshow_fee "revNoshowFee": Option<Amount>, loggable;
        /// The steps over time.
        rule_detail_list "ruleDetailList": Vec<RuleDetail>;
    }

    /// Baggage that a fare includes.
    IncludedBaggage {
        /// The segment.
        segment_no "segmentNo": Option<Number>, loggable;
        /// StandardCheckInBaggage, CabinBaggage …; open.
        baggage_type "baggageType": Option<String>, loggable;
        /// 0 adult, 1 child, 2 infant.
        passenger_type "passengerType": Option<Code>, loggable;
        /// Pieces; 0 means no limit.
        baggage_piece "baggagePiece": Option<Number>, loggable;
        /// Kilograms; 0 none, -1 unlimited.
        baggage_weight "baggageWeight": Option<Number>, loggable;
        /// Measures, free text.
        baggage_size "baggageSize": Option<String>;
        /// The weight is for all pieces together.
        is_all_weight "isAllWeight": Option<bool>, loggable;
    }

    /// Services that a fare includes.
    IncludedService {
        /// 0 none, 1 free, 2 unknown.
        has_free_seat "hasFreeSeat": Option<Code>, loggable;
        /// A meal is included.
        has_free_meal "hasFreeMeal": Option<bool>, loggable;
    }

    /// The rules of a fare.
    FareRule {
        /// Baggage is included.
        has_baggage "hasBaggage": Option<bool>, loggable;
        /// Which.
        baggage_elements "baggageElements": Vec<IncludedBaggage>;
        /// Refunds.
        refund_rules "refundRules": Vec<FareRefundRule>;
        /// Changes.
        changes_rules "changesRules": Vec<FareChangeRule>;
        /// Services.
        service_elements "serviceElements": Vec<IncludedService>;
    }

    /// The fare in the airline's currency.
    VendorFare {
        /// Adult fare.
        vendor_adult_price "vendorAdultPrice": Option<Amount>, loggable;
        /// Adult tax.
        vendor_adult_tax "vendorAdultTax": Option<Amount>, loggable;
        /// Child fare.
        vendor_child_price "vendorChildPrice": Option<Amount>, loggable;
        /// Child tax.
        vendor_child_tax "vendorChildTax": Option<Amount>, loggable;
        /// Infant fare.
        vendor_infant_price "vendorInfantPrice": Option<Amount>, loggable;
        /// Infant tax.
        vendor_infant_tax "vendorInfantTax": Option<Amount>, loggable;
        /// Currency.
        vendor_currency "vendorCurrency": Option<String>, loggable;
    }

    /// An itinerary with its prices and rules.
    Routing {
        /// The vendor's handle, valid for six hours.
        routing_identifier "routingIdentifier": Option<String>, loggable;
        /// Deprecated by the vendor.
        support_credit_trans_payment "supportCreditTransPayment": Option<bool>, loggable;
        /// 1 deposit, 3 VCC, 4 BYOA, 5 MoR.
        support_payment_methods "supportPaymentMethods": Vec<Code>, loggable;
        /// Settlement currency.
        currency "currency": Option<String>, loggable;
        /// Per adult.
        adult_price "adultPrice": Option<Amount>, loggable;
        /// Per adult.
        adult_tax "adultTax": Option<Amount>, loggable;
        /// The parts.
        adult_details "adultDetails": Vec<FareDetail>;
        /// Per child.
        child_price "childPrice": Option<Amount>, loggable;
        /// Per child.
        child_tax "childTax": Option<Amount>, loggable;
        /// The parts.
        child_details "childDetails": Vec<FareDetail>;
        /// Per infant.
        infant_price "infantPrice": Option<Amount>, loggable;
        /// Per infant.
        infant_tax "infantTax": Option<Amount>, loggable;
        /// The parts.
        infant_details "infantDetails": Vec<FareDetail>;
        /// Infants may travel.
        infant_allowed "infantAllowed": Option<bool>, loggable;
        /// Ryanair only.
        child_mandatory_seating_fee "childMandatorySeatingFee": Option<Amount>, loggable;
        /// Deprecated by the vendor.
        transaction_fee_per_pax "transactionFeePerPax": Option<Amount>, loggable;
        /// Atlas' fee.
        transaction_fee "transactionFee": Option<Amount>, loggable;
        /// PER_SEGMENT, PER_TICKET, PER_PAX or PER_BOOKING.
        transaction_fee_mode "transactionFeeMode": Option<String>, loggable;
        /// Outbound.
        from_segments "fromSegments": Vec<Segment>;
        /// Return; empty for one-way.
        ret_segments "retSegments": Vec<Segment>;
        /// The rules.
        rule "rule": Option<FareRule>;
        /// Ancillaries that were on sale.
        ancillary_product_elements "ancillaryProductElements": Vec<AncillaryProduct>;
        /// The fare in the airline's currency.
        vendor_fare "vendorFare": Option<VendorFare>;
        /// Terms; an object by the schema, `[]` or null in practice.
        links "links": Option<Any>;
        /// Two airline bookings.
        separate_bookings "separateBookings": Option<bool>, loggable;
        /// When the price was read.
        refresh_time "refreshTime": Option<Instant> => Kind::Time(super::Clock::Utc), loggable;
        /// Until when it holds.
        expire_time "expireTime": Option<Instant> => Kind::Time(super::Clock::Utc), loggable;
        /// luggage, seat.
        ancillary_supported "ancillarySupported": Vec<String>, loggable;
        /// Card charges (MoR).
        card_charge_list "cardChargeList": Vec<CardCharge>;
    }
}
