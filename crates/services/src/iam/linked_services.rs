//! The services that have service-linked roles: what the role is called, and which AWS managed
//! policy it gets.
//!
//! Source: the ARNs of service-linked roles in AWS managed policies, and each service's own
//! documentation. A service that is not here is not known to have one.

/// A service with a service-linked role.
#[derive(Debug)]
pub(super) struct LinkedService {
    /// Its principal, such as `autoscaling.amazonaws.com`. Case counts.
    pub(super) principal: &'static str,
    /// The role's name after `AWSServiceRoleFor`.
    stem: &'static str,
    /// The name of the policy, below the path `/aws-service-role/`.
    pub(super) policy: &'static str,
    /// Whether the service takes a suffix, and so several roles.
    pub(super) takes_suffix: bool,
}

impl LinkedService {
    /// The service of a principal.
    pub(super) fn of(principal: &str) -> Option<&'static Self> {
        let find = |list: &'static [Self]| list.iter().find(|held| held.principal == principal);
        find(LINKED).or_else(|| find(SUFFIXED))
    }

    /// The name of its role.
    pub(super) fn role_name(&self, suffix: Option<&str>) -> String {
        match suffix {
            Some(suffix) => format!("AWSServiceRoleFor{}_{suffix}", self.stem),
            None => format!("AWSServiceRoleFor{}", self.stem),
        }
    }
}

const fn one(principal: &'static str, stem: &'static str, policy: &'static str) -> LinkedService {
    LinkedService { principal, stem, policy, takes_suffix: false }
}

const fn many(principal: &'static str, stem: &'static str, policy: &'static str) -> LinkedService {
    LinkedService { principal, stem, policy, takes_suffix: true }
}

/// Services with one role.
#[rustfmt::skip]
const LINKED: &[LinkedService] = &[
    one("access-analyzer.amazonaws.com", "AccessAnalyzer", "AccessAnalyzerServiceRolePolicy"),
    one("accountdiscovery.ssm.amazonaws.com", "AmazonSSM_AccountDiscovery", "AWSSystemsManagerAccountDiscoveryServicePolicy"),
    one("acm.amazonaws.com", "CertificateManager", "CertificateManagerServiceRolePolicy"),
    one("aco-automation.amazonaws.com", "ComputeOptimizerAutomation", "ComputeOptimizerAutomationServiceRolePolicy"),
    one("agent-registry.amazonaws.com", "AgentRegistry", "AWSAgentRegistryServiceRolePolicy"),
    one("agentless.inspector2.amazonaws.com", "AmazonInspector2Agentless", "AmazonInspector2AgentlessServiceRolePolicy"),
    one("airflow.amazonaws.com", "AmazonMWAA", "AmazonMWAAServiceRolePolicy"),
    one("airflow-serverless.amazonaws.com", "AmazonMWAAServerless", "AmazonMWAAServerlessServiceRolePolicy"),
    one("apidestinations.events.amazonaws.com", "AmazonEventBridgeApiDestinations", "AmazonEventBridgeApiDestinationsServiceRolePolicy"),
    one("appfabric.amazonaws.com", "AppFabric", "AWSAppFabricServiceRolePolicy"),
    one("application-insights.amazonaws.com", "ApplicationInsights", "CloudwatchApplicationInsightsServiceLinkedRolePolicy"),
    one("application-signals.cloudwatch.amazonaws.com", "CloudWatchApplicationSignals", "CloudWatchApplicationSignalsServiceRolePolicy"),
    one("appmesh.amazonaws.com", "AppMesh", "AWSAppMeshServiceRolePolicy"),
    one("apprunner.amazonaws.com", "AppRunner", "AppRunnerServiceRolePolicy"),
    one("appstream.application-autoscaling.amazonaws.com", "ApplicationAutoScaling_AppStreamFleet", "AWSApplicationAutoscalingAppStreamFleetPolicy"),
    one("appsync.amazonaws.com", "AppSync", "AWSAppSyncServiceRolePolicy"),
    one("artifact.amazonaws.com", "Artifact", "AWSArtifactServiceRolePolicy"),
    one("auditmanager.amazonaws.com", "AuditManager", "AWSAuditManagerServiceRolePolicy"),
    one("autoscaling-plans.amazonaws.com", "AutoScalingPlans_EC2AutoScaling", "AWSAutoScalingPlansEC2AutoScalingPolicy"),
    one("backup.amazonaws.com", "Backup", "AWSBackupServiceLinkedRolePolicyForBackup"),
    one("batch.amazonaws.com", "Batch", "BatchServiceRolePolicy"),
    one("bcm-data-exports.amazonaws.com", "BCMDataExports", "AWSBCMDataExportsServiceRolePolicy"),
    one("bedrock-agentcore.amazonaws.com", "BedrockAgentCoreGatewayNetwork", "AWSBedrockAgentCoreGatewayNetworkServiceRolePolicy"),
    one("braket.amazonaws.com", "AmazonBraket", "AmazonBraketServiceRolePolicy"),
    one("budgets.amazonaws.com", "Budgets", "BudgetsServiceRolePolicy"),
    one("bugbust.amazonaws.com", "BugBust", "AWSBugBustServiceRolePolicy"),
    one("capacity-reservation-fleet.ec2.amazonaws.com", "EC2CapacityReservationFleet", "AWSEC2CapacityReservationFleetRolePolicy"),
    one("cassandra-streams.amazonaws.com", "AmazonKeyspacesCDC", "KeyspacesCDCServiceRolePolicy"),
    one("cassandra.application-autoscaling.amazonaws.com", "ApplicationAutoScaling_CassandraTable", "AWSApplicationAutoscalingCassandraTablePolicy"),
    one("changemanagement.ssm.amazonaws.com", "SystemsManagerChangeManagement", "AWSSystemsManagerChangeManagementServicePolicy"),
    one("channels.lex.amazonaws.com", "LexChannels", "LexChannelPolicy"),
    one("chime.amazonaws.com", "AmazonChime", "AmazonChimeServiceRolePolicy"),
    one("cks.kms.amazonaws.com", "KeyManagementServiceCustomKeyStores", "AWSKeyManagementServiceCustomKeyStoresServiceRolePolicy"),
    one("clientvpn.amazonaws.com", "ClientVPN", "ClientVPNServiceRolePolicy"),
    one("clientvpn-connections.amazonaws.com", "ClientVPNConnections", "ClientVPNServiceConnectionsRolePolicy"),
    one("cloud9.amazonaws.com", "AWSCloud9", "AWSCloud9ServiceRolePolicy"),
    one("cloudhsm.amazonaws.com", "CloudHSM", "CloudHSMServiceRolePolicy"),
    one("cloudtrail.amazonaws.com", "CloudTrail", "CloudTrailServiceRolePolicy"),
    one("cloudwatch-crossaccount.amazonaws.com", "CloudWatchCrossAccount", "CloudWatch-CrossAccountAccess"),
    one("codeguru-profiler.amazonaws.com", "CodeGuruProfiler", "AWSServiceRoleForCodeGuru-Profiler"),
    one("codeguru-reviewer.amazonaws.com", "AmazonCodeGuruReviewer", "AmazonCodeGuruReviewerServiceRolePolicy"),
    one("codestar-notifications.amazonaws.com", "CodeStarNotifications", "AWSCodeStarNotificationsServiceRolePolicy"),
    one("codewhisperer.amazonaws.com", "CodeWhisperer", "AWSServiceRoleForCodeWhispererPolicy"),
    one("cognito-idp.amazonaws.com", "AmazonCognitoIdp", "AmazonCognitoIdpServiceRolePolicy"),
    one("comprehend.application-autoscaling.amazonaws.com", "ApplicationAutoScaling_ComprehendEndpoint", "AWSApplicationAutoscalingComprehendEndpointPolicy"),
    one("compute-optimizer.amazonaws.com", "ComputeOptimizer", "ComputeOptimizerServiceRolePolicy"),
    one("config.amazonaws.com", "Config", "AWSConfigServiceRolePolicy"),
    one("config-conforms.amazonaws.com", "ConfigConforms", "ConfigConformsServiceRolePolicy"),
    one("config-multiaccountsetup.amazonaws.com", "ConfigMultiAccountSetup", "AWSConfigMultiAccountSetupPolicy"),
    one("connect-campaigns.amazonaws.com", "ConnectCampaigns", "AmazonConnectCampaignsServiceLinkedRolePolicy"),
    one("context.cloudtrail.amazonaws.com", "CloudTrailEventContext", "CloudTrailEventContext"),
    one("continuousexport.discovery.amazonaws.com", "ApplicationDiscoveryServiceContinuousExport", "ApplicationDiscoveryServiceContinuousExportServiceRolePolicy"),
    one("contributorinsights.dynamodb.amazonaws.com", "DynamoDBCloudWatchContributorInsights", "DynamoDBCloudWatchContributorInsightsServiceRolePolicy"),
    one("controltower.amazonaws.com", "AWSControlTower", "AWSControlTowerAccountServiceRolePolicy"),
    one("cost-optimization-hub.bcm.amazonaws.com", "CostOptimizationHub", "CostOptimizationHubServiceRolePolicy"),
    one("custom-resource.application-autoscaling.amazonaws.com", "ApplicationAutoScaling_CustomResource", "AWSApplicationAutoScalingCustomResourcePolicy"),
    one("custom.rds.amazonaws.com", "RDSCustom", "AmazonRDSCustomServiceRolePolicy"),
    one("dashboard.eks.amazonaws.com", "AmazonEKSDashboard", "AmazonEKSDashboardServiceRolePolicy"),
    one("datasync.amazonaws.com", "DataSync", "AWSDataSyncServiceRolePolicy"),
    one("dax.amazonaws.com", "DAX", "DAXServiceRolePolicy"),
    one("delivery.logs.amazonaws.com", "LogDelivery", "AWSServiceRoleForLogDeliveryPolicy"),
    one("detective.amazonaws.com", "Detective", "AmazonDetectiveServiceLinkedRolePolicy"),
    one("devicefarm.amazonaws.com", "DeviceFarm", "AWSDeviceFarmServiceRolePolicy"),
    one("devops-guru.amazonaws.com", "DevOpsGuru", "AmazonDevOpsGuruServiceRolePolicy"),
    one("directconnect.amazonaws.com", "DirectConnect", "AWSDirectConnectServiceRolePolicy"),
    one("discovery-datasync.amazonaws.com", "DataSyncDiscovery", "AWSDataSyncDiscoveryServiceRolePolicy"),
    one("dms.amazonaws.com", "DMSServerless", "AWSDMSServerlessServiceRolePolicy"),
    one("dms-fleet-advisor.amazonaws.com", "DMSFleetAdvisor", "AWSDMSFleetAdvisorServiceRolePolicy"),
    one("docdb-elastic.amazonaws.com", "DocDB-Elastic", "AmazonDocDB-ElasticServiceRolePolicy"),
    one("drs.amazonaws.com", "ElasticDisasterRecovery", "AWSElasticDisasterRecoveryServiceRolePolicy"),
    one("dsql.amazonaws.com", "AuroraDsql", "AuroraDsqlServiceLinkedRolePolicy"),
    one("dynamodb.application-autoscaling.amazonaws.com", "ApplicationAutoScaling_DynamoDBTable", "AWSApplicationAutoscalingDynamoDBTablePolicy"),
    one("ec2-instance-connect.amazonaws.com", "EC2InstanceConnect", "Ec2InstanceConnectEndpoint"),
    one("ec2.application-autoscaling.amazonaws.com", "ApplicationAutoScaling_EC2SpotFleetRequest", "AWSApplicationAutoscalingEC2SpotFleetRequestPolicy"),
    one("ec2fastlaunch.amazonaws.com", "EC2FastLaunch", "EC2FastLaunchServiceRolePolicy"),
    one("ec2fleet.amazonaws.com", "EC2Fleet", "AWSEC2FleetServiceRolePolicy"),
    one("ec2scheduled.amazonaws.com", "EC2ScheduledInstances", "AWSServiceRoleForEC2ScheduledInstances"),
    one("ecs.amazonaws.com", "ECS", "AmazonECSServiceRolePolicy"),
    one("ecs-compute.amazonaws.com", "ECSCompute", "AmazonECSComputeServiceRolePolicy"),
    one("ecs.application-autoscaling.amazonaws.com", "ApplicationAutoScaling_ECSService", "AWSApplicationAutoscalingECSServicePolicy"),
    one("eks.amazonaws.com", "AmazonEKS", "AmazonEKSServiceRolePolicy"),
    one("eks-connector.amazonaws.com", "AmazonEKSConnector", "AmazonEKSConnectorServiceRolePolicy"),
    one("eks-fargate.amazonaws.com", "AmazonEKSForFargate", "AmazonEKSForFargateServiceRolePolicy"),
    one("eks-nodegroup.amazonaws.com", "AmazonEKSNodegroup", "AWSServiceRoleForAmazonEKSNodegroup"),
    one("elasticache.amazonaws.com", "ElastiCache", "ElastiCacheServiceRolePolicy"),
    one("elasticache.application-autoscaling.amazonaws.com", "ApplicationAutoScaling_ElastiCacheRG", "AWSApplicationAutoscalingElastiCacheRGPolicy"),
    one("elasticbeanstalk.amazonaws.com", "ElasticBeanstalk", "AWSElasticBeanstalkServiceRolePolicy"),
    one("elasticfilesystem.amazonaws.com", "AmazonElasticFileSystem", "AmazonElasticFileSystemServiceRolePolicy"),
    one("elasticloadbalancing.amazonaws.com", "ElasticLoadBalancing", "AWSElasticLoadBalancingServiceRolePolicy"),
    one("elasticmapreduce.amazonaws.com", "EMRCleanup", "AmazonEMRCleanupPolicy"),
    one("elasticmapreduce.application-autoscaling.amazonaws.com", "ApplicationAutoScaling_EMRInstanceGroup", "AWSApplicationAutoscalingEMRInstanceGroupPolicy"),
    one("email.cognito-idp.amazonaws.com", "AmazonCognitoIdpEmailService", "AmazonCognitoIdpEmailServiceRolePolicy"),
    one("emr-containers.amazonaws.com", "AmazonEMRContainers", "AmazonEMRContainersServiceRolePolicy"),
    one("emrwal.amazonaws.com", "EMRWAL", "EMRDescribeClusterPolicyForEMRWAL"),
    one("es.amazonaws.com", "AmazonElasticsearchService", "AmazonElasticsearchServiceRolePolicy"),
    one("event-processor.health.amazonaws.com", "Health_EventProcessor", "AWSHealth_EventProcessorServiceRolePolicy"),
    one("events.amazonaws.com", "CloudWatchEvents", "CloudWatchEventsServiceRolePolicy"),
    one("events.workmail.amazonaws.com", "AmazonWorkMailEvents", "AmazonWorkMailEventsServiceRolePolicy"),
    one("evidently.amazonaws.com", "CloudWatchEvidently", "AmazonCloudWatchEvidentlyServiceRolePolicy"),
    one("evs.amazonaws.com", "AmazonEVS", "AmazonEVSServiceRolePolicy"),
    one("fis.amazonaws.com", "FIS", "AmazonFISServiceRolePolicy"),
    one("fms.amazonaws.com", "FMS", "FMSServiceRolePolicy"),
    one("fsx.amazonaws.com", "AmazonFSx", "AmazonFSxServiceRolePolicy"),
    one("globalaccelerator.amazonaws.com", "GlobalAccelerator", "AWSGlobalAcceleratorSLRPolicy"),
    one("grafana.amazonaws.com", "AmazonGrafana", "AmazonGrafanaServiceLinkedRolePolicy"),
    one("guardduty.amazonaws.com", "AmazonGuardDuty", "AmazonGuardDutyServiceRolePolicy"),
    one("health.amazonaws.com", "Health_Organizations", "Health_OrganizationsServiceRolePolicy"),
    one("hyperpod.sagemaker.amazonaws.com", "SageMakerHyperPod", "AmazonSageMakerHyperPodServiceRolePolicy"),
    one("imagebuilder.amazonaws.com", "ImageBuilder", "AWSServiceRoleForImageBuilder"),
    one("inspector.amazonaws.com", "AmazonInspector", "AmazonInspectorServiceRolePolicy"),
    one("inspector2.amazonaws.com", "AmazonInspector2", "AmazonInspector2ServiceRolePolicy"),
    one("internetmonitor.amazonaws.com", "InternetMonitor", "CloudWatchInternetMonitorServiceRolePolicy"),
    one("iotfleetwise.amazonaws.com", "IoTFleetWise", "AWSIoTFleetwiseServiceRolePolicy"),
    one("iotmanagedintegrations.amazonaws.com", "IoTManagedIntegrations", "AWSIoTManagedIntegrationsRolePolicy"),
    one("iotroborunner.amazonaws.com", "IoTRoboRunner", "AWSIotRoboRunnerServiceRolePolicy"),
    one("iotsitewise.amazonaws.com", "IoTSiteWise", "AWSServiceRoleForIoTSiteWise"),
    one("iottwinmaker.amazonaws.com", "IoTTwinMaker", "AWSIoTTwinMakerServiceRolePolicy"),
    one("ipam.amazonaws.com", "IPAM", "AWSIPAMServiceRolePolicy"),
    one("ivs.amazonaws.com", "IVSRecordToS3", "IVSRecordToS3"),
    one("justintimeaccess.ssm.amazonaws.com", "SystemsManagerJustInTimeAccess", "AWSSystemsManagerJustInTimeAccessServicePolicy"),
    one("kafka.amazonaws.com", "Kafka", "KafkaServiceRolePolicy"),
    one("kafka.application-autoscaling.amazonaws.com", "ApplicationAutoScaling_KafkaCluster", "AWSApplicationAutoscalingKafkaClusterPolicy"),
    one("kafkaconnect.amazonaws.com", "KafkaConnect", "KafkaConnectServiceRolePolicy"),
    one("kinesisreplication.dynamodb.amazonaws.com", "DynamoDBKinesisDataStreamsReplication", "DynamoDBKinesisReplicationServiceRolePolicy"),
    one("lakeformation.amazonaws.com", "LakeFormationDataAccess", "LakeFormationDataAccessServiceRolePolicy"),
    one("lambda.amazonaws.com", "Lambda", "AWSLambdaServiceRolePolicy"),
    one("lambda.application-autoscaling.amazonaws.com", "ApplicationAutoScaling_LambdaConcurrency", "AWSApplicationAutoscalingLambdaConcurrencyPolicy"),
    one("lex.amazonaws.com", "LexBots", "LexBotPolicy"),
    one("license-management.marketplace.amazonaws.com", "MarketplaceLicenseManagement", "AWSMarketplaceLicenseManagementServiceRolePolicy"),
    one("license-manager.amazonaws.com", "AWSLicenseManagerRole", "AWSLicenseManagerServiceRolePolicy"),
    one("license-manager-linux-subscriptions.amazonaws.com", "AWSLicenseManagerLinuxSubscriptionsService", "AWSLicenseManagerLinuxSubscriptionsServiceRolePolicy"),
    one("license-manager-user-subscriptions.amazonaws.com", "AWSLicenseManagerUserSubscriptionsService", "AWSLicenseManagerUserSubscriptionsServiceRolePolicy"),
    one("license-manager.master-account.amazonaws.com", "AWSLicenseManagerMasterAccountRole", "AWSLicenseManagerMasterAccountRolePolicy"),
    one("license-manager.member-account.amazonaws.com", "AWSLicenseManagerMemberAccountRole", "AWSLicenseManagerMemberAccountRolePolicy"),
    one("lightsail.amazonaws.com", "Lightsail", "LightsailExportAccess"),
    one("logger.cloudfront.amazonaws.com", "CloudFrontLogger", "AWSCloudFrontLogger"),
    one("m2.amazonaws.com", "AWSM2", "AWSM2ServicePolicy"),
    one("macie.amazonaws.com", "AmazonMacie", "AmazonMacieServiceRolePolicy"),
    one("maintenance.elasticbeanstalk.amazonaws.com", "ElasticBeanstalkMaintenance", "AWSElasticBeanstalkMaintenance"),
    one("malware-protection.guardduty.amazonaws.com", "AmazonGuardDutyMalwareProtection", "AmazonGuardDutyMalwareProtectionServiceRolePolicy"),
    one("managedblockchain.amazonaws.com", "AmazonManagedBlockchain", "AmazonManagedBlockchainServiceRolePolicy"),
    one("managedupdates.elasticbeanstalk.amazonaws.com", "ElasticBeanstalkManagedUpdates", "AWSElasticBeanstalkManagedUpdatesServiceRolePolicy"),
    one("management.chatbot.amazonaws.com", "AWSChatbot", "AWSChatbotServiceLinkedRolePolicy"),
    one("mediaconnect.amazonaws.com", "MediaConnect", "AWSMediaConnectServicePolicy"),
    one("mediapipelines.chime.amazonaws.com", "AmazonChimeSDKMediaPipelines", "AmazonChimeSDKMediaPipelinesServiceLinkedRolePolicy"),
    one("mediatailor.amazonaws.com", "MediaTailor", "AWSMediaTailorServiceRolePolicy"),
    one("member.org.stacksets.cloudformation.amazonaws.com", "CloudFormationStackSetsOrgMember", "CloudFormationStackSetsOrgMemberServiceRolePolicy"),
    one("memorydb.amazonaws.com", "MemoryDB", "MemoryDBServiceRolePolicy"),
    one("messaging.chime.amazonaws.com", "AmazonChimeSDKMessaging", "AmazonChimeSDKMessagingServiceRolePolicy"),
    one("mgn.amazonaws.com", "ApplicationMigrationService", "AWSApplicationMigrationServiceRolePolicy"),
    one("migrationhub.amazonaws.com", "MigrationHub", "MigrationHubServiceRolePolicy"),
    one("migrationhub-orchestrator.amazonaws.com", "MigrationHubOrchestrator", "AWSMigrationHubOrchestratorServiceRolePolicy"),
    one("migrationhub-strategy.amazonaws.com", "MigrationHubStrategy", "AWSMigrationHubStrategyServiceRolePolicy"),
    one("monitoring.thinclient.amazonaws.com", "AmazonWorkSpacesThinClientMonitoring", "AmazonWorkSpacesThinClientMonitoringServiceRolePolicy"),
    one("mq.amazonaws.com", "AmazonMQ", "AmazonMQServiceRolePolicy"),
    one("mrk.kms.amazonaws.com", "KeyManagementServiceMultiRegionKeys", "AWSKeyManagementServiceMultiRegionKeysServiceRolePolicy"),
    one("neptune-graph.amazonaws.com", "NeptuneGraph", "AWSServiceRoleForNeptuneGraphPolicy"),
    one("neptune.application-autoscaling.amazonaws.com", "ApplicationAutoScaling_NeptuneCluster", "AWSApplicationAutoscalingNeptuneClusterPolicy"),
    one("network-firewall.amazonaws.com", "NetworkFirewall", "AWSNetworkFirewallServiceRolePolicy"),
    one("network.bedrock-agentcore.amazonaws.com", "BedrockAgentCoreNetwork", "BedrockAgentCoreNetworkServiceRolePolicy"),
    one("networkflowmonitor.amazonaws.com", "NetworkFlowMonitor", "CloudWatchNetworkFlowMonitorServiceRolePolicy"),
    one("networking.apprunner.amazonaws.com", "AppRunnerNetworking", "AppRunnerNetworkingServiceRolePolicy"),
    one("networkmanager.amazonaws.com", "NetworkManager", "AWSNetworkManagerServiceRolePolicy"),
    one("networkmonitor.amazonaws.com", "NetworkMonitor", "CloudWatchNetworkMonitorServiceRolePolicy"),
    one("notifications.amazonaws.com", "AwsUserNotifications", "AWSUserNotificationsServiceLinkedRolePolicy"),
    one("notifications.ssm.amazonaws.com", "SystemsManagerNotifications", "AWSSystemsManagerNotificationsServicePolicy"),
    one("observability.aoss.amazonaws.com", "AmazonOpenSearchServerless", "AmazonOpenSearchServerlessServiceRolePolicy"),
    one("observabilityadmin.amazonaws.com", "ObservabilityAdmin", "AWSObservabilityAdminServiceRolePolicy"),
    one("opensearchservice.amazonaws.com", "AmazonOpenSearchService", "AmazonOpenSearchServiceRolePolicy"),
    one("ops.apigateway.amazonaws.com", "APIGateway", "APIGatewayServiceRolePolicy"),
    one("ops.athena.amazonaws.com", "AmazonAthena", "AmazonAthenaServiceRolePolicy"),
    one("ops.emr-serverless.amazonaws.com", "AmazonEMRServerless", "AmazonEMRServerlessServiceRolePolicy"),
    one("opsdatasync.ssm.amazonaws.com", "SystemsManagerOpsDataSync", "AWSSystemsManagerOpsDataSyncServiceRolePolicy"),
    one("opsinsights.ssm.amazonaws.com", "AmazonSSM_OpsInsights", "AWSSSMOpsInsightsServiceRolePolicy"),
    one("organizations.amazonaws.com", "Organizations", "AWSOrganizationsServiceTrustPolicy"),
    one("orgsdatasync.servicecatalog.amazonaws.com", "ServiceCatalogOrgsDataSync", "AWSServiceCatalogOrgsDataSyncServiceRolePolicy"),
    one("osis.amazonaws.com", "AmazonOpenSearchIngestionService", "AmazonOpenSearchIngestionServiceRolePolicy"),
    one("outposts.eks-local.amazonaws.com", "AmazonEKSLocalOutpost", "AmazonEKSLocalOutpostServiceRolePolicy"),
    one("panorama.amazonaws.com", "AWSPanorama", "AWSPanoramaServiceLinkedRolePolicy"),
    one("pcs.amazonaws.com", "PCS", "AWSPCSServiceRolePolicy"),
    one("practice-run.arc-zonal-shift.amazonaws.com", "ZonalAutoshiftPracticeRun", "AWSZonalAutoshiftPracticeRunSLRPolicy"),
    one("private-marketplace.marketplace.amazonaws.com", "PrivateMarketplaceAdmin", "AWSServiceRoleForPrivateMarketplaceAdminPolicy"),
    one("pullthroughcache.ecr.amazonaws.com", "ECRPullThroughCache", "AWSECRPullThroughCache_ServiceRolePolicy"),
    one("purchase-orders.marketplace.amazonaws.com", "MarketplacePurchaseOrders", "AWSMarketplacePurchaseOrdersServiceRolePolicy"),
    one("q.amazonaws.com", "AmazonQDeveloper", "AWSServiceRoleForAmazonQDeveloper"),
    one("qbusiness.amazonaws.com", "QBusiness", "QBusinessServiceRolePolicy"),
    one("ram.amazonaws.com", "ResourceAccessManager", "AWSResourceAccessManagerServiceRolePolicy"),
    one("rds.amazonaws.com", "RDS", "AmazonRDSServiceRolePolicy"),
    one("rds.application-autoscaling.amazonaws.com", "ApplicationAutoScaling_RDSCluster", "AWSApplicationAutoscalingRDSClusterPolicy"),
    one("reachabilityanalyzer.networkinsights.amazonaws.com", "ReachabilityAnalyzer", "AWSReachabilityAnalyzerServiceRolePolicy"),
    one("redshift.amazonaws.com", "Redshift", "AmazonRedshiftServiceLinkedRolePolicy"),
    one("refactor-spaces.amazonaws.com", "MigrationHubRefactorSpaces", "AWSMigrationHubRefactorSpacesServiceRolePolicy"),
    one("remediation.config.amazonaws.com", "ConfigRemediation", "AWSConfigRemediationServiceRolePolicy"),
    one("replication.cassandra.amazonaws.com", "KeyspacesReplication", "KeyspacesReplicationServiceRolePolicy"),
    one("replication.dynamodb.amazonaws.com", "DynamoDBReplication", "DynamoDBReplicationServiceRolePolicy"),
    one("replication.ecr.amazonaws.com", "ECRReplication", "ECRReplicationServiceRolePolicy"),
    one("replicator.lambda.amazonaws.com", "LambdaReplicator", "AWSLambdaReplicator"),
    one("reporting.trustedadvisor.amazonaws.com", "TrustedAdvisorReporting", "AWSTrustedAdvisorReportingServiceRolePolicy"),
    one("reports.backup.amazonaws.com", "BackupReports", "AWSServiceRolePolicyForBackupReports"),
    one("resource-explorer-2.amazonaws.com", "ResourceExplorer", "AWSResourceExplorerServiceRolePolicy"),
    one("resource-groups.amazonaws.com", "ResourceGroups", "ResourceGroupsServiceRolePolicy"),
    one("resource-management.securitylake.amazonaws.com", "SecurityLakeResourceManagement", "SecurityLakeResourceManagementServiceRolePolicy"),
    one("restore-testing.backup.amazonaws.com", "BackupRestoreTesting", "AWSServiceRolePolicyForBackupRestoreTesting"),
    one("robomaker.amazonaws.com", "RoboMaker", "AWSRoboMakerServicePolicy"),
    one("rolesanywhere.amazonaws.com", "RolesAnywhere", "AWSRolesAnywhereServicePolicy"),
    one("route53-recovery-readiness.amazonaws.com", "Route53RecoveryReadiness", "Route53RecoveryReadinessServiceRolePolicy"),
    one("route53resolver.amazonaws.com", "Route53Resolver", "Route53ResolverServiceRolePolicy"),
    one("rum.amazonaws.com", "RealUserMonitoring", "AmazonCloudWatchRUMServiceRolePolicy"),
    one("runtime-identity.bedrock-agentcore.amazonaws.com", "BedrockAgentCoreRuntimeIdentity", "BedrockAgentCoreRuntimeIdentityServiceRolePolicy"),
    one("runtime-instances.bedrock-agentcore.amazonaws.com", "BedrockAgentCoreRuntimeInstances", "AWSBedrockAgentCoreRuntimeInstancesServiceRolePolicy"),
    one("s2svpn.amazonaws.com", "VPCS2SVPN", "AWSVPCS2SVpnServiceRolePolicy"),
    one("s3-outposts.amazonaws.com", "S3OnOutposts", "AWSS3OnOutpostsServiceRolePolicy"),
    one("sagemaker.amazonaws.com", "AmazonSageMakerNotebooks", "AmazonSageMakerNotebooksServiceRolePolicy"),
    one("sagemaker.application-autoscaling.amazonaws.com", "ApplicationAutoScaling_SageMakerEndpoint", "AWSApplicationAutoscalingSageMakerEndpointPolicy"),
    one("schemas.amazonaws.com", "Schemas", "AmazonEventBridgeSchemasServiceRolePolicy"),
    one("sdmp.amazonaws.com", "SDMP", "AWSSDMPServiceRolePolicy"),
    one("security-ir.amazonaws.com", "SecurityIncidentResponse", "AWSSecurityIncidentResponseServiceRolePolicy"),
    one("securityhub.amazonaws.com", "SecurityHub", "AWSSecurityHubServiceRolePolicy"),
    one("securityhubv2.amazonaws.com", "SecurityHubV2", "AWSSecurityHubV2ServiceRolePolicy"),
    one("securitylake.amazonaws.com", "SecurityLake", "SecurityLakeServiceLinkedRole"),
    one("self-managed-vpce.osis.amazonaws.com", "OpensearchIngestionSelfManagedVpce", "OpensearchIngestionSelfManagedVpcePolicy"),
    one("servicecatalog-appregistry.amazonaws.com", "AWSServiceCatalogAppRegistry", "AWSServiceCatalogAppRegistryServiceRolePolicy"),
    one("servicequotas.amazonaws.com", "ServiceQuotas", "ServiceQuotasServiceRolePolicy"),
    one("ses.amazonaws.com", "AmazonSES", "AmazonSESServiceRolePolicy"),
    one("shield.amazonaws.com", "AWSShield", "AWSShieldServiceRolePolicy"),
    one("sms.amazonaws.com", "SMS", "AWSServiceRoleForSMS"),
    one("split-cost-allocation-data.bcm.amazonaws.com", "SplitCostAllocationData", "SplitCostAllocationDataServiceRolePolicy"),
    one("spot.amazonaws.com", "EC2Spot", "AWSEC2SpotServiceRolePolicy"),
    one("spotfleet.amazonaws.com", "EC2SpotFleet", "AWSEC2SpotFleetServiceRolePolicy"),
    one("ssm.amazonaws.com", "AmazonSSM", "AmazonSSMServiceRolePolicy"),
    one("ssm-incidents.amazonaws.com", "IncidentManager", "AWSIncidentManagerServiceRolePolicy"),
    one("ssm-quicksetup.amazonaws.com", "SSMQuickSetup", "SSMQuickSetupRolePolicy"),
    one("ssm-sap.amazonaws.com", "AWSSSMForSAP", "AWSSSMForSAPServiceLinkedRolePolicy"),
    one("sso.amazonaws.com", "SSO", "AWSSSOServiceRolePolicy"),
    one("stacksets.cloudformation.amazonaws.com", "CloudFormationStackSetsOrgAdmin", "CloudFormationStackSetsOrgAdminServiceRolePolicy"),
    one("storage-lens.s3.amazonaws.com", "S3StorageLens", "S3StorageLensServiceRolePolicy"),
    one("storagegateway.amazonaws.com", "StorageGateway", "AWSStorageGatewayServiceRolePolicy"),
    one("support.amazonaws.com", "Support", "AWSSupportServiceRolePolicy"),
    one("supportplans.amazonaws.com", "SupportPlans", "AWSSupportPlansServiceRolePolicy"),
    one("sync.proton.amazonaws.com", "ProtonSync", "AWSProtonSyncServiceRolePolicy"),
    one("sync.servicecatalog.amazonaws.com", "ServiceCatalogSync", "AWSServiceCatalogSyncServiceRolePolicy"),
    one("testgrid.devicefarm.amazonaws.com", "DeviceFarmTestGrid", "AWSDeviceFarmTestGridServiceRolePolicy"),
    one("thirdparty.config.amazonaws.com", "ConfigThirdParty", "AWSConfigThirdPartyServiceRolePolicy"),
    one("timestream-influxdb.amazonaws.com", "TimestreamInfluxDB", "AmazonTimestreamInfluxDBServiceRolePolicy"),
    one("topology.networkflowmonitor.amazonaws.com", "NetworkFlowMonitor_Topology", "CloudWatchNetworkFlowMonitorTopologyServiceRolePolicy"),
    one("transcription.chime.amazonaws.com", "AmazonChimeTranscription", "AmazonChimeTranscriptionServiceLinkedRolePolicy"),
    one("transform.amazonaws.com", "AWSTransform", "AWSServiceRoleForAWSTransform"),
    one("transform-custom.amazonaws.com", "AWSTransformCustom", "AWSServiceRoleForAWSTransformCustom"),
    one("transitgateway.amazonaws.com", "VPCTransitGateway", "AWSVPCTransitGatewayServiceRolePolicy"),
    one("triage.security-ir.amazonaws.com", "SecurityIncidentResponse_Triage", "AWSSecurityIncidentResponseTriageServiceRolePolicy"),
    one("trustedadvisor.amazonaws.com", "TrustedAdvisor", "AWSTrustedAdvisorServiceRolePolicy"),
    one("user-attribute-cost-allocation-data.amazonaws.com", "UserAttributeCostAllocation", "AWSUserAttributeCostAllocationPolicy"),
    one("user-subscriptions.amazonaws.com", "UserSubscriptions", "AWSServiceRoleForUserSubscriptions"),
    one("verified-access.amazonaws.com", "VPCVerifiedAccess", "AWSVPCVerifiedAccessServiceRolePolicy"),
    one("voiceconnector.chime.amazonaws.com", "AmazonChimeVoiceConnector", "AmazonChimeVoiceConnectorServiceLinkedRolePolicy"),
    one("vpc-lattice.amazonaws.com", "VpcLattice", "AWSVpcLatticeServiceRolePolicy"),
    one("vpcorigin.cloudfront.amazonaws.com", "CloudFrontVPCOrigin", "AWSCloudFrontVPCOriginServiceRolePolicy"),
    one("waf.amazonaws.com", "WAFLogging", "WAFLoggingServiceRolePolicy"),
    one("waf-regional.amazonaws.com", "WAFRegionalLogging", "WAFRegionalLoggingServiceRolePolicy"),
    one("wafv2.amazonaws.com", "WAFV2Logging", "WAFV2LoggingServiceRolePolicy"),
    one("wellarchitected.amazonaws.com", "WellArchitected", "AWSWellArchitectedOrganizationsServiceRolePolicy"),
    one("workspaces-web.amazonaws.com", "AmazonWorkSpacesWeb", "AmazonWorkSpacesWebServiceRolePolicy"),
    one("workspaces.application-autoscaling.amazonaws.com", "ApplicationAutoScaling_WorkSpacesPool", "AWSApplicationAutoscalingWorkSpacesPoolPolicy"),
];

/// Services whose roles may have a suffix.
#[rustfmt::skip]
const SUFFIXED: &[LinkedService] = &[
    many("autoscaling.amazonaws.com", "AutoScaling", "AutoScalingServiceRolePolicy"),
    many("channels.lexv2.amazonaws.com", "LexV2Channels", "AmazonLexChannelsAccess"),
    many("connect.amazonaws.com", "AmazonConnect", "AmazonConnectServiceLinkedRolePolicy"),
    many("lexv2.amazonaws.com", "LexV2Bots", "AmazonLexV2BotPolicy"),
    many("monitor.iotsitewise.amazonaws.com", "IoTSiteWiseMonitor", "AWSIoTSiteWiseMonitorServiceRolePolicy"),
    many("monitron.amazonaws.com", "Monitron", "AWSServiceRoleForMonitronPolicy"),
    many("outposts.amazonaws.com", "Outposts", "AWSOutpostsServiceRolePolicy"),
    many("profile.amazonaws.com", "Profile", "CustomerProfilesServiceLinkedRolePolicy"),
    many("replication.lexv2.amazonaws.com", "LexV2Replication", "AmazonLexReplicationPolicy"),
    many("s3.data-source.lustre.fsx.amazonaws.com", "FSxS3Access", "FSxDeleteServiceLinkedRoleAccess"),
    many("scraper.aps.amazonaws.com", "AmazonPrometheusScraper", "AmazonPrometheusScraperServiceRolePolicy"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use bailiwick_catalog::Catalog;
    use bailiwick_identifiers::RoleName;

    use super::*;

    /// Every service has a policy that the catalog holds, a role name that fits, and a principal of
    /// its own.
    #[test]
    fn every_service_has_its_policy() {
        let mut seen = BTreeSet::new();
        for service in LINKED.iter().chain(SUFFIXED) {
            let policy = Catalog::embedded().managed_policy(service.policy);
            let policy = policy.unwrap_or_else(|| panic!("no policy {}", service.policy));
            assert!(policy.is_for_service_linked_roles(), "{}", service.policy);
            assert!(service.role_name(None).parse::<RoleName>().is_ok(), "{}", service.principal);
            assert!(super::super::trust::is_service(service.principal), "{}", service.principal);
            assert!(seen.insert(service.principal), "{}", service.principal);
        }
    }

    /// The names agree with those that AWS managed policies write down.
    #[test]
    fn names_are_those_of_managed_policies() {
        let known = |service: &str, name: &str| {
            LinkedService::of(service).is_none_or(|held| {
                let (ours, theirs) = (held.role_name(None), name.trim_end_matches(['*', '_']));
                ours == theirs || (ours.starts_with(theirs) && name.ends_with('*'))
            })
        };
        let mut compared = 0;
        for policy in Catalog::embedded().managed_policies() {
            let text = policy.default_document();
            for rest in text.split("role/aws-service-role/").skip(1) {
                let arn = rest.split('"').next().unwrap_or_default();
                let Some((service, name)) = arn.split_once('/') else { continue };
                if !name.starts_with("AWSServiceRoleFor") || ODD.contains(&(service, name)) {
                    continue;
                }
                assert!(known(service, name), "{service} {name} in {}", policy.name);
                compared += 1;
            }
        }
        assert!(compared > 140, "{compared}");
    }

    /// Names that AWS managed policies write down beside the right ones.
    const ODD: &[(&str, &str)] = &[
        ("maintenance.elasticbeanstalk.amazonaws.com", "AWSServiceRoleForElasticBeanstalk"),
        ("managedupdates.elasticbeanstalk.amazonaws.com", "AWSServiceRoleForElasticBeanstalk"),
        (
            "sagemaker.application-autoscaling.amazonaws.com",
            "AWSServiceRoleForApplicationAutoScaling_SagemakerEndpoint",
        ),
        ("ssm-sap.amazonaws.com", "AWSServiceRoleForSSMForSAP"),
    ];
}
