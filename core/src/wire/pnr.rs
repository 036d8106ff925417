//! pnr/claim, extractPnr (OF, 2026-04).

use super::message::message;
use super::shape::Kind;
use super::value::{Code, Date, LocalTime, Number};
use super::{Amount, Clock, FlightRequest, Segment};

message! {
    /// Login data of the airline's manage-my-booking.
    ManageMyBooking {
        /// Airline PNR.
        airline_pnr "airlinePnr": Option<String>, required;
        /// Contact e-mail in the booking.
        email "email": Option<String>;
    }

    /// A passenger of an outside booking.
    ClaimPassenger {
        /// `Family/Given`.
        name "name": Option<String>, required;
        /// 0 adult, 1 child, 2 infant.
        passenger_type "passengerType": Option<Code>, loggable;
        /// Birthday.
        birthday "birthday": Option<Date>;
        /// M or F.
        gender "gender": Option<String>;
        /// Identity document number.
        card_num "cardNum": Option<String>;
        /// PP, GA, TW, TB, HY; open.
        card_type "cardType": Option<String>;
        /// Issuing country.
        card_issue_place "cardIssuePlace": Option<String>;
        /// Document expiry.
        card_expired "cardExpired": Option<Date>;
        /// Nationality.
        nationality "nationality": Option<String>;
    }

    /// Contact for a claimed booking.
    ConnectInfo {
        /// Name.
        contact_name "contactName": Option<String>;
        /// E-mail.
        contact_email "contactEmail": Option<String>;
        /// Phone.
        contact_phone "contactPhone": Option<String>;
        /// As text.
        use_atlas_mail_for_contact "useAtlasMailForContact": Option<String>;
    }

    /// Brings a booking made elsewhere under Atlas' management.
    PnrClaimRequest {
        /// Login data.
        mmb "mmb": Option<ManageMyBooking>;
        /// The passengers.
        passengers "passengers": Vec<ClaimPassenger>, required, never_null;
        /// Outbound.
        from_segments "fromSegments": Vec<FlightRequest>, required, never_null;
        /// Return.
        ret_segments "retSegments": Vec<FlightRequest>;
        /// Contact.
        connect_info "connectInfo": Option<ConnectInfo>;
    }

    /// The order that now stands for the booking.
    PnrClaimReply {
        /// Atlas order number.
        order_no "orderNo": Option<String> => Kind::Joined, loggable, retained;
        /// Atlas PNR.
        pnr_code "pnrCode": Option<String> => Kind::Joined, loggable;
    }

    /// A passenger to look up.
    ExtractPassenger {
        /// First name.
        first_name "firstName": Option<String>, required;
        /// Last name.
        last_name "lastName": Option<String>, required;
        /// Null in the sample.
        passenger_type "passengerType": Option<Code>, loggable;
    }

    /// Contact to look up with.
    ExtractContact {
        /// Contact e-mail in the booking.
        email "email": Option<String>, required;
    }

    /// A flight as originally booked. The request's spelling of the departure airport is the vendor's.
    ExtractSegment {
        /// Departure airport, IATA.
        dpt_airport "dptAirport": Option<String>, required, loggable;
        /// Arrival airport, IATA.
        arr_airport "arrAirport": Option<String>, required, loggable;
        /// Flight number with its carrier prefix.
        flight_number "flightNumber": Option<String>, required, loggable;
        /// Departure, airport-local.
        dep_time "depTime": Option<LocalTime> => Kind::Time(Clock::LocalSpaced), required, loggable;
        /// Arrival, airport-local.
        arr_time "arrTime": Option<LocalTime> => Kind::Time(Clock::LocalSpaced), required, loggable;
    }

    /// The flights as originally booked.
    ExtractRouting {
        /// Outbound.
        from_segments "fromSegments": Vec<ExtractSegment>, required, never_null;
        /// Return.
        ret_segments "retSegments": Vec<ExtractSegment>;
    }

    /// Reads a booking at the airline as it is now.
    ExtractPnrRequest {
        /// Airline PNR.
        airline_pnr "airlinePnr": Option<String>, required;
        /// Two-letter airline code.
        carrier "carrier": Option<String>, required, loggable;
        /// The passengers.
        passengers "passengers": Vec<ExtractPassenger>, required, never_null;
        /// Contact in the booking.
        contact "contact": Option<ExtractContact>, required;
        /// The flights.
        routing "routing": Option<ExtractRouting>, required;
        /// Milliseconds that the vendor may take, approximately; the call waits 5 s longer.
        timeout "timeout": Option<Number> => Kind::Code, loggable;
        /// Undocumented, in the sample.
        request_source "requestSource": Option<String>;
        /// Undocumented, in the sample.
        channel "channel": Option<String>;
        /// Undocumented, in the sample.
        main_channel "mainChannel": Option<String>;
        /// Undocumented, in the sample.
        sub_channel_id "subChannelID": Option<String>;
        /// Undocumented, in the sample.
        request_owner "requestOwner": Option<String>;
        /// Undocumented, in the sample.
        request_id "requestId": Option<String>;
        /// Undocumented, in the sample.
        client_request_id "clientRequestId": Option<String>;
    }

    /// Flights of an airline booking.
    ExtractedRouting {
        /// Outbound, as they are now.
        from_segments "fromSegments": Vec<Segment>;
        /// Return, as they are now.
        ret_segments "retSegments": Vec<Segment>;
    }

    /// Contact of an airline booking.
    ExtractedContact {
        /// E-mail.
        email "email": Option<String>;
        /// Company.
        company_name "companyName": Option<String>;
    }

    /// A booking at the airline.
    ExtractPnrReply {
        /// Echo; null with status 0 means that there is no such booking.
        airline_pnr "airlinePnr": Option<String> => Kind::Joined;
        /// OnHold, Ticketed, Cancelled, Unknown.
        pnr_status "pnrStatus": Option<String>, loggable;
        /// used or unused.
        pnr_used "pnrUsed": Option<String>, loggable;
        /// Currency.
        currency "currency": Option<String>, loggable;
        /// Total.
        total_price "totalPrice": Option<Amount>, loggable;
        /// The flights now.
        routing "routing": Option<ExtractedRouting>;
        /// Passengers; ticketStatus is OPEN_FOR_USE, REFUND, USED, PARTIALLY_USED, NOSHOW or UNKNOWN.
        pax_ticket_infos "paxTicketInfos": Vec<ExtractedPassenger>;
        /// Contact.
        contact "contact": Option<ExtractedContact>;
    }

    /// A passenger of an airline booking.
    ExtractedPassenger {
        /// `Last/First`.
        name "name": Option<String>;
        /// Ticket numbers.
        ticket_nos "ticketNos": Vec<String> => Kind::JOINED_LIST, never_null;
        /// Airline PNRs.
        airline_pnrs "airlinePNRs": Vec<String> => Kind::JOINED_LIST, never_null;
        /// What was bought beside the seat.
        ancillaries "ancillaries": Vec<super::PassengerAncillary>;
        /// E-mail addresses.
        contact_emails "contactEmails": Vec<String>;
        /// Phone numbers.
        contact_phones "contactPhones": Vec<String>;
        /// OPEN_FOR_USE, REFUND, USED, PARTIALLY_USED, NOSHOW or UNKNOWN.
        ticket_status "ticketStatus": Option<String>, loggable;
    }
}
