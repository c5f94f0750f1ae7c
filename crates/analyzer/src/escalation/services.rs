//! Roles that services run under: passed to something new, or taken over with what already has one.
//! And the directory, whose permission sets become roles of the account.

use std::collections::{BTreeMap, BTreeSet};

use super::ability::NEEDS;
use super::grants::FOR_ROLES;
use super::judge::{Dependence, Permit};
use super::moves::{Access, End, Move, Moves};
use super::table::{Class, Row};
use super::world::rows_of;

impl Moves<'_, '_> {
    /// The rows by which a service takes a role.
    pub(super) fn by_services(&mut self) {
        let mut passed: BTreeMap<(usize, &'static str), Option<Vec<Permit>>> = BTreeMap::new();
        for class in [Class::NewPassrole, Class::ExistingPassrole] {
            for (at, row) in rows_of(class) {
                if NEEDS.get(at).is_some_and(|needs| self.able.covers(*needs)) {
                    self.by_row(row, &mut passed);
                }
            }
        }
    }

    fn by_row(
        &mut self,
        row: &'static Row,
        passed: &mut BTreeMap<(usize, &'static str), Option<Vec<Permit>>>,
    ) {
        let Some(permits) = self.row_permits(row) else { return };
        let gives = FOR_ROLES.iter().any(|action| self.able.can(action));
        let new = row.class == Class::NewPassrole;
        let mut reach = None;
        for service in row.services {
            let roles = self.world.taken_by(service);
            for (entity, taken) in roles.iter() {
                if *entity == self.entity() {
                    continue;
                }
                let enough = self.enough(&[row.id]);
                if enough {
                    let refused = matches!(passed.get(&(*entity, *service)), Some(None));
                    let reach = reach.get_or_insert_with(|| self.reach(&["iam:PassRole"]));
                    if new && (refused || !reach.names(self.world, *entity))
                        || !self.counts(*entity)
                    {
                        continue;
                    }
                }
                let mut needed = Vec::new();
                if new {
                    let permit = passed
                        .entry((*entity, *service))
                        .or_insert_with(|| self.pass(*entity, service));
                    let Some(permits) = permit.clone() else { continue };
                    needed.extend(permits);
                }
                if enough {
                    self.note(*entity, row.id);
                    continue;
                }
                needed.extend(permits.iter().cloned());
                needed.push(taken.clone());
                let carrier = row.carrier.map(|what| Dependence::Thing {
                    exists: format!("a running {what} with this role"),
                });
                let things: BTreeSet<Dependence> = carrier.into_iter().collect();
                let way = Access { path: row.id, permits: needed, things };
                let gifts = if gives { self.gifts(*entity) } else { Vec::new() };
                self.become_other(*entity, vec![way], &gifts);
            }
        }
    }

    /// Passing a role to a service (TR-8).
    fn pass(&self, entity: usize, service: &str) -> Option<Vec<Permit>> {
        let service = match self.world.judge.partition() {
            "aws-cn" if service.starts_with("ec2.") => format!("{service}.cn"),
            _ => service.to_owned(),
        };
        let keys = vec![("iam:PassedToService".to_owned(), vec![service])];
        self.ask_tagged(entity, "iam:PassRole", &keys)
    }

    /// The rows of the organization's directory, which no export shows.
    pub(super) fn by_directory(&mut self) {
        for (at, row) in rows_of(Class::Directory) {
            if NEEDS.get(at).is_none_or(|needs| !self.able.covers(*needs)) {
                continue;
            }
            let Some(permits) = self.row_permits(row) else { continue };
            let exists = "an identity center that is managed from this account".to_owned();
            let things = BTreeSet::from([Dependence::Thing { exists }]);
            self.keep(Move { to: End::Directory, paths: vec![row.id], permits, things });
        }
    }
}
