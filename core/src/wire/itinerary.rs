//! Flights and itineraries (ST, OF and A26, 2026-04).

use super::message::message;
use super::shape::Kind;
use super::value::{Code, Instant, LocalTime, Number};
use super::{Amount, AncillaryProduct, CardCharge, FareDetail, FareRule, VendorFare};
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
